//! Why each cent is where it is: the meaning of accounts, and the reason for a ledger line by the fact that it records.

/// What an account means, in plain words.
pub(super) fn meaning(account: &str) -> &'static str {
    match account {
        "gw:stripe" => "money that lies at Stripe for us",
        "bank" => "what payers paid to our bank",
        "ar:payer" => "what payers still owe, also what they refused and nobody has given up",
        "deposit:patient" => "patients' own money, for care that is not settled",
        "credit:patient" => "what we owe to patients",
        "adj:contractual" => "agreed discounts that nobody pays",
        "adj:writeoff" => "what we gave up",
        "deposit:customer" => "customers' own money, for orders that are not invoiced",
        "ar:customer" => "what customers owe for what was invoiced",
        "tax:payable" => "tax that was invoiced, for the state",
        "ar:patient" => "what patients still owe; below zero: paid without a bill of ours",
        "rev:service" => "what services earned",
        "rev:platform" => "what the platform keeps of shared charges",
        "owed:provider" => "what providers are to get of shared charges",
        "exp:fee" => "fees that Stripe kept",
        "susp:unapplied" => "money whose owner is not known",
        "susp:unknown" => "money whose fate is not known",
        _ => "",
    }
}

/// Why a line of an entry is there. The key of an entry begins with the kind of its fact.
pub(super) fn why(key: &str, account: &str) -> &'static str {
    match (key.split(':').next().unwrap_or_default(), account) {
        ("capture", "gw:stripe") => "Stripe took it from the card and holds it for us",
        ("capture", "deposit:patient") => "still the patient's: it is for care that is not billed yet",
        ("capture", _) => "pays what the patient owed",
        ("fee", "exp:fee") => "Stripe keeps it; that is our cost, not the patient's",
        ("fee", _) => "so much less lies at Stripe",
        ("refund", "gw:stripe") => "it left Stripe for the patient's card",
        ("refund", "deposit:patient") => "the deposit is given back",
        ("refund", "credit:patient") => "what we owed the patient is paid back",
        ("billed", "ar:payer") => "the payer owes the charge until it has decided",
        ("billed", _) => "care was given: this is its price",
        ("adjudicated", "bank") => "the payer pays this part to our bank",
        ("adjudicated", "adj:contractual") => "agreed discount: nobody pays it",
        ("adjudicated", "ar:patient") => "the patient's part, by the payer's decision (PR)",
        ("adjudicated", _) => "so much less is owed by the payer",
        ("applied", "deposit:patient") => "the deposit is used up",
        ("applied", "ar:patient") => "pays what the patient owes",
        ("applied", "credit:patient") => "paid too much: we owe it to the patient",
        ("responsibility", "ar:patient") => "the price of the visit, by its signed note: the patient owes it",
        ("responsibility", "rev:service") => "care was given: this is its price",
        ("responsibility", _) => "so much less is owed by the payer",
        ("missed", "ar:patient") => "the fee of the visit that did not take place, by the policy",
        ("missed", _) => "earned: the time was kept free",
        _ => "",
    }
}
