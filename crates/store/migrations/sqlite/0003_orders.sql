create table orders (
  organization text not null,
  id text not null,
  reference text not null,
  buyer text not null,
  status text not null,
  total_minor integer not null,
  currency text not null,
  placed_at integer not null,
  updated_at integer not null,
  primary key (organization, id)
);
create unique index orders_by_reference on orders (organization, reference);
create index orders_by_buyer on orders (organization, buyer, id);
create table lookup_rows (
  organization text not null,
  name text not null,
  key text not null,
  value text not null,
  updated_by text not null,
  updated_at integer not null,
  primary key (organization, name, key)
);
create index effects_waiting on effects (organization, lane, due_at) where state = 'ready' and lease_owner is null;
