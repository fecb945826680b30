//! Small crates that keep the floors, and that break them in one way each.

use super::*;
use crate::floor::tests::Fixture;

/// The floors of a crate with at most one circle that is allowed.
fn house(src: &str, floors: &[&str], circle: Option<&str>) -> House {
    let circle =
        circle.map(|files| format!("circles = [{{ files = \"{files}\", reason = \"they are one\" }}]"));
    let text = format!("[[crates]]\nsrc = \"{src}\"\nfloors = {floors:?}\n{}", circle.unwrap_or_default());
    read(&text).unwrap().remove(0)
}

fn tower() -> House {
    house("tower/src", &["lib", "roof", "hall stair", "hall/cellar ground"], None)
}

fn faults_of(house: &House, files: &[(&str, &str)]) -> Vec<String> {
    let fixture = Fixture::new(files);
    let (tree, unread) = Tree::read(fixture.root());
    assert_eq!(unread, []);
    check_house(&tree, house).iter().map(ToString::to_string).collect()
}

/// The tower with these files, beside a root, a roof and a ground that keep the rules.
fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let mut all = vec![
        ("tower/src/lib.rs", "mod roof; mod ground; mod hall; pub use ground::Stone;"),
        ("tower/src/roof.rs", "use crate::ground::Stone; fn f(stone: Stone) {}"),
        ("tower/src/ground.rs", "pub struct Stone;"),
    ];
    all.retain(|(path, _)| files.iter().all(|(other, _)| other != path));
    all.extend_from_slice(files);
    faults_of(&tower(), &all)
}

#[track_caller]
fn one(files: &[(&str, &str)], path: &str, text: &str) {
    let faults = faults(files);
    assert!(
        faults.len() == 1 && faults[0].starts_with(path) && faults[0].contains(text),
        "{path} and {text} expected: {faults:#?}"
    );
}

#[test]
fn what_imports_downward_passes() {
    assert_eq!(faults(&[]), [""; 0]);
    let hall = [
        ("tower/src/hall/mod.rs", "mod cellar; use cellar::Wine; use super::ground; use crate::Stone;"),
        ("tower/src/hall/cellar.rs", "pub struct Wine(crate::ground::Stone);"),
    ];
    assert_eq!(faults(&hall), [""; 0]);
}

#[test]
fn each_way_to_write_an_import_that_goes_up_fails() {
    for up in [
        "use crate::roof::Tile;",
        "use crate::{roof::{self, Tile}};",
        "use crate::{roof};",
        "use super::roof;",
        "use super::{roof::{Tile, Nail}};",
        "use crate::roof::*;",
        "fn f() { crate::roof::g(); }",
        "fn f(tile: &super::roof::Tile) {}",
        "pub(crate) use crate::roof::Tile as Slate;",
    ] {
        let ground = format!("pub struct Stone;\n{up}\n");
        let roof = ("tower/src/roof.rs", "pub struct Tile;");
        one(&[roof, ("tower/src/ground.rs", &ground)], "tower/src/ground.rs:2", "imports roof");
    }
}

#[test]
fn an_import_counts_for_the_file_that_defines_the_name() {
    let roof = ("tower/src/roof.rs", "pub struct Tile;");
    let lib =
        ("tower/src/lib.rs", "mod roof; mod ground; mod stair; pub use roof::Tile; pub use ground::Stone;");
    assert_eq!(faults(&[roof, lib, ("tower/src/stair.rs", "use crate::Stone;")]), [""; 0]);
    one(&[roof, lib, ("tower/src/stair.rs", "use crate::Tile;")], "tower/src/stair.rs:1", "imports roof");
    one(&[roof, lib, ("tower/src/stair.rs", "use crate::build;")], "tower/src/stair.rs:1", "imports lib");
}

#[test]
fn a_file_on_a_lower_floor_than_its_folder_imports_nothing_of_it() {
    let hall = ("tower/src/hall/mod.rs", "mod cellar; pub struct Guest;");
    one(
        &[hall, ("tower/src/hall/cellar.rs", "use super::Guest;")],
        "tower/src/hall/cellar.rs:1",
        "imports hall",
    );
}

#[test]
fn tests_may_import_anything() {
    let ground = "pub struct Stone;\n#[cfg(test)]\nmod tests { use crate::roof::Tile; }\n";
    assert_eq!(faults(&[("tower/src/ground.rs", ground)]), [""; 0]);
    let stair = ("tower/src/stair.rs", "#[cfg(test)]\n#[path = \"stair_tests.rs\"]\nmod tests;");
    assert_eq!(faults(&[stair, ("tower/src/stair_tests.rs", "use crate::roof::Tile;")]), [""; 0]);
}

#[test]
fn a_file_that_stands_on_no_floor_fails() {
    one(&[("tower/src/attic.rs", "")], "tower/src/attic.rs", "stands on no floor");
}

const RING: [(&str, &str); 3] = [
    ("ring/src/a.rs", "use crate::b::B; pub struct A;"),
    ("ring/src/b.rs", "use crate::c::C; pub struct B;"),
    ("ring/src/c.rs", "pub struct C; fn f() { crate::a::g() }"),
];

#[test]
fn files_that_import_each_other_fail_with_what_ties_them() {
    let ring = house("ring/src", &["a b c"], None);
    let faults = faults_of(&ring, &RING);
    assert_eq!(faults.len(), 1, "{faults:?}");
    for tie in ["3 files import each other", "a -> b", "b -> c", "c -> a"] {
        assert!(faults[0].contains(tie), "{tie}: {faults:?}");
    }
}

#[test]
fn a_circle_needs_a_reason_and_one_folder() {
    let ring = house("ring/src", &["a b c"], Some("a b c"));
    assert_eq!(faults_of(&ring, &RING), [""; 0]);
    let apart = [
        ("ring/src/x/mod.rs", "use crate::y::Y; pub struct X;"),
        ("ring/src/y/z.rs", "use crate::x;"),
        ("ring/src/y/mod.rs", "mod z; use z::Z; pub struct Y;"),
    ];
    let ring = house("ring/src", &["x y"], Some("x y y/z"));
    assert_eq!(faults_of(&ring, &apart).len(), 1, "files of two folders");
}

#[test]
fn a_reason_for_a_circle_that_is_not_there_fails() {
    let ring = house("ring/src", &["a b"], Some("a b"));
    let faults =
        faults_of(&ring, &[("ring/src/a.rs", "use crate::b::B;"), ("ring/src/b.rs", "pub struct B;")]);
    assert!(faults.len() == 1 && faults[0].contains("remove it"), "{faults:?}");
}

#[test]
fn the_largest_circle_of_each_crate_is_told() {
    let fixture = Fixture::new(&RING);
    let (tree, _) = Tree::read(fixture.root());
    let houses = [house("ring/src", &[], None), tower()];
    assert_eq!(largest(&tree, &houses), [("ring/src".to_owned(), 3), ("tower/src".to_owned(), 1)]);
}
