//! One statement in every format: 100.00 before, the gateway's payout of 1,751.10 in, a fee of 12.50 out, 1,838.60 after.

use suture_connect::bank::{AmountColumns, DateOrder, Error, Format, Mapping, Statement, read};

pub(crate) const BAI2: &str = "01,BANKX,CLINIC,261121,0900,1,80,,2/\n\
    02,CLINIC,BANKX,1,261120,,USD,2/\n\
    03,123456789,USD,010,10000,,,015,183860,,,100,175110,1,Z/\n\
    88,400,1250,1,/\n\
    16,142,175110,Z,TRACE-77,,STRIPE PAYOUT, CLINIC /A\n\
    88,ST-X1Y2\n\
    16,698,1250,S,0,0,1250,,,MONTHLY FEE\n\
    49,546580,6/\n\
    98,546580,1,8/\n\
    99,546580,1,10/\n";

pub(crate) const CAMT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>
<Stmt><Id>S1</Id><Acct><Id><Othr><Id>123456789</Id></Othr></Id><Ccy>USD</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">1838.60</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries></TxsSummry>
<Ntry><Amt Ccy="USD">1751.10</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt>
<ValDt><Dt>2026-11-21</Dt></ValDt><AcctSvcrRef>TRACE-77</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>ST-X1Y2</EndToEndId></Refs>
<RmtInf><Ustrd>Clinic &amp; Co</Ustrd></RmtInf></TxDtls></NtryDtls><AddtlNtryInf>STRIPE PAYOUT</AddtlNtryInf></Ntry>
<Ntry><Amt Ccy="USD">12.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts><BookgDt><DtTm>2026-11-20T23:59:59-05:00</DtTm></BookgDt>
<AddtlNtryInf>MONTHLY FEE</AddtlNtryInf></Ntry>
<Ntry><Amt Ccy="USD">9.99</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts><NtryDtls/></Ntry>
</Stmt></BkToCstmrStmt></Document>
"#;

pub(crate) const OFX1: &str = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>\n\
    <CURDEF>USD\n<BANKACCTFROM><BANKID>111\n<ACCTID>123456789\n</BANKACCTFROM>\n<BANKTRANLIST><DTSTART>20261120\n\
    <STMTTRN>\n<TRNTYPE>CREDIT\n<DTPOSTED>20261120120000[-5:EST]\n<TRNAMT>1751.10\n<FITID>TRACE-77\n<NAME>STRIPE PAYOUT\n<MEMO>Clinic &amp; Co\n</STMTTRN>\n\
    <STMTTRN>\n<TRNTYPE>FEE\n<DTPOSTED>20261120\n<TRNAMT>-12.50\n<FITID>F2\n<NAME>MONTHLY FEE\n</STMTTRN>\n\
    </BANKTRANLIST>\n<LEDGERBAL><BALAMT>1838.60\n<DTASOF>20261120\n</LEDGERBAL>\n<AVAILBAL><BALAMT>1.00\n</AVAILBAL>\n\
    </STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n";

pub(crate) const OFX2: &str = "<?xml version=\"1.0\"?>\n<?OFX OFXHEADER=\"200\" VERSION=\"220\"?>\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>\n\
    <CURDEF>USD</CURDEF><BANKACCTFROM><ACCTID>123456789</ACCTID></BANKACCTFROM><BANKTRANLIST>\n\
    <STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20261120</DTPOSTED><TRNAMT>+1751.10</TRNAMT><FITID>TRACE-77</FITID>\
    <NAME>STRIPE PAYOUT</NAME><MEMO>Clinic &amp; Co</MEMO></STMTTRN>\n\
    <STMTTRN><TRNTYPE>FEE</TRNTYPE><DTPOSTED>20261120</DTPOSTED><TRNAMT>-12.5</TRNAMT><FITID>F2</FITID><NAME>MONTHLY FEE</NAME></STMTTRN>\n\
    </BANKTRANLIST><LEDGERBAL><BALAMT>1838.60</BALAMT><DTASOF>20261120</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n";

pub(crate) const CSV: &str = "Account,xx6789\n\nDate,Description,Money In,Money Out,Balance,Ref\n\
    11/20/2026,\"STRIPE PAYOUT, CLINIC\",\"$1,751.10\",,\"1,851.10\",TRACE-77\n\
    11/20/26,MONTHLY FEE,,12.50,\"1,838.60\",\n";

pub(crate) fn mapping() -> Mapping {
    Mapping {
        account: "123456789".into(),
        currency: "USD".into(),
        delimiter: ',',
        skip_lines: 2,
        decimal: '.',
        dates: DateOrder::MonthDayYear,
        booked_on: "date".into(),
        value_on: None,
        amount: AmountColumns::Split { credit: "Money In".into(), debit: "Money Out".into() },
        balance: Some("Balance".into()),
        newest_first: false,
        descriptor: vec!["Description".into()],
        reference: Some("Ref".into()),
        id: None,
    }
}

/// Every format with its file.
pub(crate) fn files() -> Vec<(Format, &'static str)> {
    vec![
        (Format::Bai2, BAI2),
        (Format::Camt053, CAMT),
        (Format::Ofx, OFX1),
        (Format::Ofx, OFX2),
        (Format::Csv(Box::new(mapping())), CSV),
    ]
}

pub(crate) fn one(format: &Format, content: &str) -> Result<Statement, Error> {
    let mut statements = read(format, content.as_bytes())?;
    assert_eq!(statements.len(), 1);
    Ok(statements.remove(0))
}
