create table calendars (
  organization text not null,
  provider text not null,
  number integer not null,
  primary key (organization, provider)
) without rowid;
create unique index calendars_by_number on calendars (number);
create table slots (
  organization text not null,
  appointment text not null,
  provider text not null,
  low integer not null,
  high integer not null,
  state text not null,
  held_until integer,
  primary key (organization, appointment)
) without rowid;
create index slots_by_low on slots (low, high);
-- No slot is longer than a day and a half, so that the look-back is bounded.
create trigger slots_have_one_holder before insert on slots begin
  select raise(abort, 'the slot is taken') where new.high <= new.low or new.high - new.low > 2160 or exists (
    select 1 from slots where low < new.high and low > new.low - 2160 and high > new.low);
end;
create trigger slots_do_not_move before update of low, high, provider on slots begin
  select raise(abort, 'a slot does not move');
end;
create table calendar_pages (
  organization text not null,
  provider text not null,
  month integer not null,
  version integer not null,
  busy blob not null,
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
  starts_at integer not null,
  ends_at integer not null,
  updated_at integer not null,
  primary key (organization, appointment)
) without rowid;
create index visits_by_provider on visits (organization, provider, starts_at);
create index visits_by_patient on visits (organization, patient, starts_at);
create index visits_by_time on visits (organization, starts_at);
create table waiting_places (
  organization text not null,
  id text not null,
  visit_type text not null,
  provider text,
  not_before integer not null,
  not_after integer not null,
  since integer not null,
  primary key (organization, id)
) without rowid;
create index waiting_places_in_order on waiting_places (organization, visit_type, since, id);
create table prices (
  organization text not null,
  clinic text not null,
  code text not null,
  payer text not null,
  from_day integer not null,
  until_day integer not null,
  amount_minor integer not null,
  currency text not null,
  primary key (organization, clinic, code, payer, from_day)
) without rowid;
