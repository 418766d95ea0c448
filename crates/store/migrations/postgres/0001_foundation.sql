create table organizations (
  id text primary key,
  name text not null,
  mode text not null,
  created_at bigint not null
);
create table connections (
  organization text not null,
  id text not null,
  kind text not null,
  name text not null,
  settings text not null,
  key_id text not null,
  secrets bytea not null,
  status text not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (organization, id)
);
create table endpoints (
  organization text not null,
  id text not null,
  url text not null,
  description text not null,
  events text not null,
  key_id text not null,
  secrets bytea not null,
  previous_until bigint,
  status text not null,
  note text,
  replays bigint not null,
  version bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (organization, id)
);
create table api_keys (
  organization text not null,
  id text not null,
  hash bytea not null,
  name text not null,
  role text not null,
  created_at bigint not null,
  revoked_at bigint,
  primary key (organization, id)
);
create unique index api_keys_by_hash on api_keys (hash);
create table streams (
  organization text not null,
  stream text not null,
  kind text not null,
  version bigint not null,
  head bytea not null,
  state text not null,
  updated_at bigint not null,
  primary key (organization, stream)
);
create table journal (
  organization text not null,
  position bigint generated always as identity,
  stream text not null,
  version bigint not null,
  kind text not null,
  body text not null,
  actor_kind text not null,
  actor_id text not null,
  reason text not null,
  care text not null,
  at bigint not null,
  hash bytea not null,
  primary key (organization, position)
);
create unique index journal_by_stream on journal (organization, stream, version);
create table refs (
  organization text not null,
  external text not null,
  stream text not null,
  primary key (organization, external)
);
create table parties (
  organization text not null,
  link text not null,
  stream text not null,
  amount_minor bigint not null,
  currency text not null,
  primary key (organization, link, stream)
);
create table inbox (
  organization text not null,
  sequence bigint generated always as identity,
  connection text not null,
  event_id text not null,
  message text not null,
  event_type text not null,
  object_id text,
  received_at bigint not null,
  deliveries bigint not null,
  body_hash bytea not null,
  primary key (organization, sequence)
);
create unique index inbox_by_event on inbox (organization, connection, event_id);
create unique index inbox_by_message on inbox (organization, message);
create table inbox_bodies (
  organization text not null,
  message text not null,
  key_id text not null,
  sealed bytea not null,
  primary key (organization, message)
);
create table rejections (
  organization text not null,
  connection text not null,
  day text not null,
  code text not null,
  count bigint not null,
  last_at bigint not null,
  primary key (organization, connection, day, code)
);
create table effects (
  organization text not null,
  sequence bigint generated always as identity,
  id text not null,
  kind text not null,
  lane text,
  destination text not null,
  stream text,
  state text not null,
  due_at bigint not null,
  attempts bigint not null,
  lease_owner text,
  payload text not null,
  error text,
  history text,
  created_at bigint not null,
  finished_at bigint,
  primary key (organization, sequence)
);
create unique index effects_by_id on effects (organization, id);
create index effects_ready on effects (due_at, sequence) where state = 'ready';
create index effects_lane on effects (organization, lane, sequence) where state = 'ready' and lane is not null;
create index effects_stopped on effects (organization, state, sequence) where state in ('dead', 'parked');
create index effects_parked on effects (organization, lane) where state = 'parked' and lane is not null;
create index effects_announced on effects (organization, destination, sequence) where kind = 'announce';
create table ledger_entries (
  organization text not null,
  key text not null,
  stream text not null,
  version bigint not null,
  at bigint not null,
  lines text not null,
  primary key (organization, key)
);
create table ledger_lines (
  organization text not null,
  account text not null,
  currency text not null,
  at bigint not null,
  key text not null,
  line bigint not null,
  amount_minor bigint not null,
  party text,
  primary key (organization, account, currency, at, key, line)
);
create table links (
  organization text not null,
  id text not null,
  patient text not null,
  account text,
  claim text,
  encounter text,
  practitioner text,
  appointment text,
  coverage text,
  purpose text not null,
  due_minor bigint,
  due_currency text,
  service_codes text not null,
  created_by text not null,
  created_at bigint not null,
  primary key (organization, id)
);
create index links_by_patient on links (organization, patient);
create table access_log (
  organization text not null,
  id text not null,
  at bigint not null,
  actor_kind text not null,
  actor_id text not null,
  action text not null,
  subject text not null,
  resource text not null,
  purpose text not null,
  primary key (organization, id)
);
create index access_log_by_subject on access_log (organization, subject, at);
create index access_log_by_actor on access_log (organization, actor_id, at);
create table personal (
  organization text not null,
  subject text not null,
  field text not null,
  key_id text not null,
  sealed bytea not null,
  updated_at bigint not null,
  primary key (organization, subject, field)
);
create table seals (
  organization text not null,
  number bigint not null,
  position bigint not null,
  body text not null,
  primary key (organization, number)
);
create table seal_leaves (
  organization text not null,
  stream text not null,
  version bigint not null,
  number bigint not null,
  head bytea not null,
  primary key (organization, stream, version)
);
create index seal_leaves_by_number on seal_leaves (organization, number);
create table runs (
  organization text not null,
  id text not null,
  flow text not null,
  fact text not null,
  state text not null,
  note text,
  started_at bigint not null,
  finished_at bigint,
  primary key (organization, id)
);
create table run_contents (
  organization text not null,
  run text not null,
  key_id text not null,
  sealed bytea not null,
  primary key (organization, run)
);
create unique index runs_by_fact on runs (organization, flow, fact);
create table idempotency (
  organization text not null,
  api_key text not null,
  key text not null,
  request_hash bytea not null,
  status bigint,
  key_id text,
  sealed bytea,
  created_at bigint not null,
  primary key (organization, api_key, key)
);
create table marks (
  organization text not null,
  name text not null,
  value text not null,
  primary key (organization, name)
);
create table lookups (
  organization text not null,
  name text not null,
  key text not null,
  value text,
  updated_at bigint not null,
  primary key (organization, name, key)
);
create table remittance_claims (
  organization text not null,
  remittance text not null,
  position bigint not null,
  claim text not null,
  state text not null,
  note text,
  body text not null,
  received_at bigint not null,
  primary key (organization, remittance, position)
);
create index remittance_claims_waiting on remittance_claims (organization, remittance, position) where state = 'waiting';
create table contact_choices (
  organization text not null,
  subject text not null,
  channel text not null,
  topic text not null,
  wants bigint not null,
  since bigint not null,
  chosen_by text not null,
  primary key (organization, subject, channel, topic)
);
create table notice_subjects (
  organization text not null,
  subject text not null,
  notice text not null,
  primary key (organization, subject, notice)
);
create table notice_texts (
  organization text not null,
  notice text not null,
  part text not null,
  key_id text not null,
  sealed bytea not null,
  keep_until bigint not null,
  primary key (organization, notice, part)
);
create index notice_texts_by_end on notice_texts (keep_until);
create table wordings (
  organization text not null,
  template text not null,
  body text not null,
  updated_at bigint not null,
  primary key (organization, template)
);
create table used_passes (
  organization text not null,
  pass text not null,
  used_at bigint not null,
  expires_at bigint not null,
  primary key (organization, pass)
);
create index used_passes_by_end on used_passes (expires_at);
