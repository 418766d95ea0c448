create table organizations (
  id text primary key,
  name text not null,
  mode text not null,
  created_at integer not null
) without rowid;
create table connections (
  organization text not null,
  id text not null,
  kind text not null,
  name text not null,
  settings text not null,
  key_id text not null,
  secrets blob not null,
  status text not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (organization, id)
);
create table endpoints (
  organization text not null,
  id text not null,
  url text not null,
  description text not null,
  events text not null,
  key_id text not null,
  secrets blob not null,
  previous_until integer,
  status text not null,
  note text,
  replays integer not null,
  version integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (organization, id)
);
create table api_keys (
  organization text not null,
  id text not null,
  hash blob not null,
  name text not null,
  role text not null,
  created_at integer not null,
  revoked_at integer,
  primary key (organization, id)
) without rowid;
create unique index api_keys_by_hash on api_keys (hash);
create table streams (
  organization text not null,
  stream text not null,
  kind text not null,
  version integer not null,
  head blob not null,
  state text not null,
  updated_at integer not null,
  primary key (organization, stream)
);
create table journal (
  organization text not null,
  position integer primary key,
  stream text not null,
  version integer not null,
  kind text not null,
  body text not null,
  actor_kind text not null,
  actor_id text not null,
  reason text not null,
  care text not null,
  at integer not null,
  hash blob not null
);
create unique index journal_by_stream on journal (organization, stream, version);
create table refs (
  organization text not null,
  external text not null,
  stream text not null,
  primary key (organization, external)
) without rowid;
create table parties (
  organization text not null,
  link text not null,
  stream text not null,
  amount_minor integer not null,
  currency text not null,
  primary key (organization, link, stream)
) without rowid;
create table inbox (
  organization text not null,
  sequence integer primary key,
  connection text not null,
  event_id text not null,
  message text not null,
  event_type text not null,
  object_id text,
  received_at integer not null,
  deliveries integer not null,
  body_hash blob not null
);
create unique index inbox_by_event on inbox (organization, connection, event_id);
create unique index inbox_by_message on inbox (organization, message);
create table inbox_bodies (
  organization text not null,
  message text not null,
  key_id text not null,
  sealed blob not null,
  primary key (organization, message)
);
create table rejections (
  organization text not null,
  connection text not null,
  day text not null,
  code text not null,
  count integer not null,
  last_at integer not null,
  primary key (organization, connection, day, code)
) without rowid;
create table effects (
  organization text not null,
  sequence integer primary key,
  id text not null,
  kind text not null,
  lane text,
  destination text not null,
  stream text,
  state text not null,
  due_at integer not null,
  attempts integer not null,
  lease_owner text,
  payload text not null,
  error text,
  history text,
  created_at integer not null,
  finished_at integer
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
  version integer not null,
  at integer not null,
  lines text not null,
  primary key (organization, key)
) without rowid;
create table ledger_lines (
  organization text not null,
  account text not null,
  currency text not null,
  at integer not null,
  key text not null,
  line integer not null,
  amount_minor integer not null,
  party text,
  primary key (organization, account, currency, at, key, line)
) without rowid;
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
  due_minor integer,
  due_currency text,
  service_codes text not null,
  created_by text not null,
  created_at integer not null,
  primary key (organization, id)
) without rowid;
create index links_by_patient on links (organization, patient);
create table access_log (
  organization text not null,
  id text not null,
  at integer not null,
  actor_kind text not null,
  actor_id text not null,
  action text not null,
  subject text not null,
  resource text not null,
  purpose text not null,
  primary key (organization, id)
) without rowid;
create index access_log_by_subject on access_log (organization, subject, at);
create index access_log_by_actor on access_log (organization, actor_id, at);
create table personal (
  organization text not null,
  subject text not null,
  field text not null,
  key_id text not null,
  sealed blob not null,
  updated_at integer not null,
  primary key (organization, subject, field)
) without rowid;
create table seals (
  organization text not null,
  number integer not null,
  position integer not null,
  body text not null,
  primary key (organization, number)
) without rowid;
create table seal_leaves (
  organization text not null,
  stream text not null,
  version integer not null,
  number integer not null,
  head blob not null,
  primary key (organization, stream, version)
) without rowid;
create index seal_leaves_by_number on seal_leaves (organization, number);
create table runs (
  organization text not null,
  id text not null,
  flow text not null,
  fact text not null,
  state text not null,
  note text,
  started_at integer not null,
  finished_at integer,
  primary key (organization, id)
);
create table run_contents (
  organization text not null,
  run text not null,
  key_id text not null,
  sealed blob not null,
  primary key (organization, run)
);
create unique index runs_by_fact on runs (organization, flow, fact);
create table idempotency (
  organization text not null,
  api_key text not null,
  key text not null,
  request_hash blob not null,
  status integer,
  key_id text,
  sealed blob,
  created_at integer not null,
  primary key (organization, api_key, key)
) without rowid;
create table marks (
  organization text not null,
  name text not null,
  value text not null,
  primary key (organization, name)
) without rowid;
create table lookups (
  organization text not null,
  name text not null,
  key text not null,
  value text,
  updated_at integer not null,
  primary key (organization, name, key)
) without rowid;
create table remittance_claims (
  organization text not null,
  remittance text not null,
  position integer not null,
  claim text not null,
  state text not null,
  note text,
  body text not null,
  received_at integer not null,
  primary key (organization, remittance, position)
) without rowid;
create index remittance_claims_waiting on remittance_claims (organization, remittance, position) where state = 'waiting';
create table contact_choices (
  organization text not null,
  subject text not null,
  channel text not null,
  topic text not null,
  wants integer not null,
  since integer not null,
  chosen_by text not null,
  primary key (organization, subject, channel, topic)
) without rowid;
create table notice_subjects (
  organization text not null,
  subject text not null,
  notice text not null,
  primary key (organization, subject, notice)
) without rowid;
create table notice_texts (
  organization text not null,
  notice text not null,
  part text not null,
  key_id text not null,
  sealed blob not null,
  keep_until integer not null,
  primary key (organization, notice, part)
);
create index notice_texts_by_end on notice_texts (keep_until);
create table wordings (
  organization text not null,
  template text not null,
  body text not null,
  updated_at integer not null,
  primary key (organization, template)
) without rowid;
create table used_passes (
  organization text not null,
  pass text not null,
  used_at integer not null,
  expires_at integer not null,
  primary key (organization, pass)
) without rowid;
create index used_passes_by_end on used_passes (expires_at);
