alter table ledger_entries add column day text not null default '';
alter table ledger_entries add column original_day text;
alter table ledger_lines add column day text not null default '';
update ledger_entries set day = strftime('%Y-%m-%d', at / 1000, 'unixepoch');
update ledger_lines set day = strftime('%Y-%m-%d', at / 1000, 'unixepoch');
create index ledger_lines_by_day on ledger_lines (organization, day, account, currency, amount_minor);
create table period_locks (
  organization text not null primary key,
  through text not null,
  next_open text not null
) without rowid;
create table settlement_lines (
  organization text not null,
  settlement text not null,
  id text not null,
  class text not null,
  kind text not null,
  source text,
  gross_minor integer not null,
  fee_minor integer not null,
  currency text not null,
  day text not null,
  facts text not null,
  state text not null,
  left_minor integer not null,
  primary key (organization, settlement, id)
) without rowid;
create table bank_statements (
  organization text not null,
  id text not null,
  account text not null,
  currency text not null,
  format text not null,
  proof text not null,
  opening_minor integer,
  closing_minor integer,
  closes_on text,
  lines integer not null,
  repeated integer not null,
  imported_by text not null,
  imported_at integer not null,
  primary key (organization, id)
) without rowid;
create table bank_lines (
  organization text not null,
  account text not null,
  id text not null,
  statement text not null,
  day text not null,
  amount_minor integer not null,
  currency text not null,
  key_id text not null,
  words blob not null,
  state text not null,
  settlements text not null,
  owner text,
  note text,
  primary key (organization, account, id)
) without rowid;
create index bank_lines_by_state on bank_lines (organization, state, day);
create table exceptions (
  organization text not null,
  id text not null,
  settlement text not null,
  label text not null,
  amount_minor integer not null,
  currency text not null,
  opened_at integer not null,
  owner text,
  closed_at integer,
  resolution text,
  primary key (organization, id)
) without rowid;
create table proofs (
  organization text not null,
  day text not null,
  number integer not null,
  body text not null,
  primary key (organization, day, number)
) without rowid;
