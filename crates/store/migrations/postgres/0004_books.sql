alter table ledger_entries add column day text not null default '';
alter table ledger_entries add column original_day text;
alter table ledger_lines add column day text not null default '';
update ledger_entries set day = to_char(to_timestamp(at / 1000) at time zone 'UTC', 'YYYY-MM-DD');
update ledger_lines set day = to_char(to_timestamp(at / 1000) at time zone 'UTC', 'YYYY-MM-DD');
create index ledger_lines_by_day on ledger_lines (organization, day, account, currency, amount_minor);
create table period_locks (
  organization text not null primary key,
  through text not null,
  next_open text not null
);
create table settlement_lines (
  organization text not null,
  settlement text not null,
  id text not null,
  class text not null,
  kind text not null,
  source text,
  gross_minor bigint not null,
  fee_minor bigint not null,
  currency text not null,
  day text not null,
  facts text not null,
  state text not null,
  left_minor bigint not null,
  primary key (organization, settlement, id)
);
create table bank_statements (
  organization text not null,
  id text not null,
  account text not null,
  currency text not null,
  format text not null,
  proof text not null,
  opening_minor bigint,
  closing_minor bigint,
  closes_on text,
  lines bigint not null,
  repeated bigint not null,
  imported_by text not null,
  imported_at bigint not null,
  primary key (organization, id)
);
create table bank_lines (
  organization text not null,
  account text not null,
  id text not null,
  statement text not null,
  day text not null,
  amount_minor bigint not null,
  currency text not null,
  key_id text not null,
  words bytea not null,
  state text not null,
  settlements text not null,
  owner text,
  note text,
  primary key (organization, account, id)
);
create index bank_lines_by_state on bank_lines (organization, state, day);
create table exceptions (
  organization text not null,
  id text not null,
  settlement text not null,
  label text not null,
  amount_minor bigint not null,
  currency text not null,
  opened_at bigint not null,
  owner text,
  closed_at bigint,
  resolution text,
  primary key (organization, id)
);
create table proofs (
  organization text not null,
  day text not null,
  number bigint not null,
  body text not null,
  primary key (organization, day, number)
);
