create table calendars (
  organization text not null,
  provider text not null,
  number bigint not null,
  primary key (organization, provider)
);
create unique index calendars_by_number on calendars (number);
create table slots (
  organization text not null,
  appointment text not null,
  provider text not null,
  low bigint not null,
  high bigint not null,
  state text not null,
  held_until bigint,
  primary key (organization, appointment),
  check (high > low and high - low <= 2160),
  exclude using gist (int8range(low, high) with &&)
);
create index slots_by_low on slots (low, high);
create table calendar_pages (
  organization text not null,
  provider text not null,
  month bigint not null,
  version bigint not null,
  busy bytea not null,
  primary key (organization, provider, month)
);
create index calendar_pages_by_month on calendar_pages (organization, month);
create table visits (
  organization text not null,
  appointment text not null,
  patient text not null,
  provider text not null,
  visit_type text not null,
  clinic text not null,
  timing text not null,
  status text not null,
  starts_at bigint not null,
  ends_at bigint not null,
  updated_at bigint not null,
  primary key (organization, appointment)
);
create index visits_by_provider on visits (organization, provider, starts_at);
create index visits_by_patient on visits (organization, patient, starts_at);
create index visits_by_time on visits (organization, starts_at);
create table waiting_places (
  organization text not null,
  id text not null,
  visit_type text not null,
  provider text,
  not_before bigint not null,
  not_after bigint not null,
  since bigint not null,
  primary key (organization, id)
);
create index waiting_places_in_order on waiting_places (organization, visit_type, since, id);
create table prices (
  organization text not null,
  clinic text not null,
  code text not null,
  payer text not null,
  from_day bigint not null,
  until_day bigint not null,
  amount_minor bigint not null,
  currency text not null,
  primary key (organization, clinic, code, payer, from_day)
);
