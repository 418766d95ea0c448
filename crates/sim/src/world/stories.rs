//! Stories on both databases: one test per story and engine, each in a world of its own.

/// Makes one test per database of each story: an async function that takes a [`World`](crate::world::World).
#[macro_export]
macro_rules! on_both_databases {
    ($($story:ident),* $(,)?) => {
        mod sqlite {$(
            #[tokio::test]
            async fn $story() {
                super::$story($crate::world::World::open($crate::world::Setup::on("sqlite")).await.unwrap()).await;
            }
        )*}
        mod postgres {$(
            #[tokio::test]
            async fn $story() {
                super::$story($crate::world::World::open($crate::world::Setup::on("postgres")).await.unwrap()).await;
            }
        )*}
    };
}
