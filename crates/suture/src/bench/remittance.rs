//! A remittance of 50,000 claims with 100,000 lines: read and verified, and imported in a process of its own, whose peak
//! memory is its own too.

use std::path::Path;
use std::process::Command;

use suture_connect::x12::remittance::verify;
use suture_core::audit::chain::Hash;
use suture_core::explain::Actor;
use suture_engine::Caller;
use suture_engine::admin::Mode;

use super::billing_stage::open;
use super::end_to_end::rate;
use super::intake::ratio;
use super::program::now;

const CLAIMS: u64 = 50_000;
const LINES: u64 = 2 * CLAIMS;

/// The name of the benchmark that the child runs; its arguments are the file and the database.
pub(super) const CHILD: &str = "import-remittance";

/// One claim of a written file: its number, what the payer pays and the patient's part, in minor units. The rest of 300.00
/// is the contract's.
pub(super) struct Decided {
    pub(super) number: String,
    pub(super) paid: i64,
    pub(super) patient: i64,
}

/// Prints lines per second beside bare reading of the same bytes, and the import with its peak memory.
pub(super) async fn measure() -> Result<(), String> {
    let file =
        write((0..CLAIMS).map(|at| Decided { number: format!("B{at}"), paid: 13_000, patient: 5_000 }), 1);
    let mut runs = Vec::new();
    for _ in 0..5 {
        let begun = now();
        let totals = verify(file.as_bytes()).map_err(|error| error.to_string())?;
        runs.push(begun.elapsed());
        if totals.first().map(|totals| totals.trailer.lines) != Some(LINES) {
            return Err("the file was not read to its end".to_owned());
        }
    }
    runs.sort();
    let verified = rate(LINES, super::wire::percentile(&runs, 50));
    let begun = now();
    let hash = Hash::of(file.as_bytes());
    let hashed = rate(LINES, begun.elapsed());
    println!(
        "835 of {CLAIMS} claims, {LINES} lines, {} kB: parsed and verified {verified:.0} lines/s (median of 5) | bare \
         SHA-256 of the same bytes {hashed:.0} lines/s ({}) | ratio {:.3}",
        file.len() / 1024,
        hash.to_string().chars().take(8).collect::<String>(),
        ratio(verified, hashed)
    );
    let folder = std::env::temp_dir().join(format!("suture-bench-835-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let told = import_in_child(&folder, &file);
    // Left-overs in the temporary folder do no harm.
    let _ = std::fs::remove_dir_all(&folder);
    println!("{}", told?);
    Ok(())
}

fn import_in_child(folder: &Path, file: &str) -> Result<String, String> {
    let path = folder.join("big.835");
    std::fs::write(&path, file).map_err(|error| error.to_string())?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let url = format!("sqlite:{}/suture.db", folder.display());
    let output = Command::new(program)
        .args(["bench", CHILD])
        .arg(&path)
        .arg(url)
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// In the child: imports the file, and prints claims per second and the process's own peak.
pub(super) async fn import(path: &str, url: &str) -> Result<(), String> {
    let engine = open(url).await?;
    let organization =
        engine.make_organization("bench", Mode::Sandbox).await.map_err(|error| error.to_string())?.id;
    let caller = Caller { organization, actor: Actor::Operator("bench".to_owned()) };
    let before = peak_kilobytes();
    let file = std::fs::read(path).map_err(|error| error.to_string())?;
    let begun = now();
    let imported = engine.import_remittance(&caller, file).await.map_err(|error| error.to_string())?;
    let took = begun.elapsed();
    println!(
        "imported {} claims until all are kept: {:.0} claims/s ({took:.1?}); peak memory of the process {} kB, before it \
         {before} kB",
        imported.claims,
        rate(imported.claims, took),
        peak_kilobytes()
    );
    Ok(())
}

/// The largest resident memory that this process had.
pub(super) fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// An 835 (005010X221A1) of claims of 300.00 in two lines each, that balances.
pub(super) fn write(claims: impl Iterator<Item = Decided>, trace: u32) -> String {
    let mut body = String::new();
    let (mut total, mut segments) = (0_i64, 0_u64);
    for Decided { number, paid, patient } in claims {
        total += paid;
        let contract = 30_000 - paid - patient;
        body.push_str(&format!(
            "CLP*{number}*1*300.00*{}*{}*12*I{number}*11*1~\n",
            money(paid),
            money(patient)
        ));
        body.push_str("NM1*QC*1*EXAMPLE*ANN****MI*M123456~\nDTM*232*20261101~\n");
        // The first line of 200.00 bears the contract and the patient, as far as they fit; the second the rest.
        let first_contract = contract.min(20_000 - patient.min(20_000));
        let first_patient = patient.min(20_000);
        let (second_contract, second_patient) = (contract - first_contract, patient - first_patient);
        segments += 3;
        segments += line(&mut body, "99214", 20_000, first_contract, first_patient);
        segments += line(&mut body, "80053", 10_000, second_contract, second_patient);
    }
    let head = format!(
        "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *261121*1200*^*00501*{trace:09}*0*T*:~\n\
         GS*HP*PAYER*CLINIC*20261121*1200*{trace}*X*005010X221A1~\n\
         ST*835*0001~\nBPR*I*{}*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20261121~\n\
         TRN*1*BENCH{trace}*1512345678~\nDTM*405*20261121~\nN1*PR*BENCH HEALTH PLAN~\nN3*1 WAY~\nN4*COLUMBUS*OH*43215~\n\
         REF*2U*99999~\nPER*BL*SERVICES*TE*8005550100~\nN1*PE*BENCH CLINIC*XX*1234567893~\nLX*1~\n",
        money(total)
    );
    // From ST to SE: ST, ten of the header, LX, the claims, SE.
    let count = segments + 12;
    format!("{head}{body}SE*{count}*0001~\nGE*1*{trace}~\nIEA*1*{trace:09}~\n")
}

/// Writes a line; gives how many segments it took.
fn line(body: &mut String, code: &str, charge: i64, contract: i64, patient: i64) -> u64 {
    let paid = charge - contract - patient;
    body.push_str(&format!("SVC*HC:{code}*{}*{}**1~\nDTM*472*20261101~\n", money(charge), money(paid)));
    let mut segments = 2;
    for (group, reason, amount) in [("CO", "45", contract), ("PR", "3", patient)] {
        if amount != 0 {
            body.push_str(&format!("CAS*{group}*{reason}*{}~\n", money(amount)));
            segments += 1;
        }
    }
    segments
}

fn money(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}
