//! A check reports every problem of a document, with its place and its repair.

use suture_flow::flow::Flow;

/// The problems of a document, one per line, without the file name.
fn problems(text: &str) -> Vec<String> {
    Flow::check(text, "f").to_string().lines().map(|line| line.trim_start_matches("f:").to_owned()).collect()
}

const TOP: &str = "flow: f\nversion: 1\ntrigger: { source: stripe, event: payment.captured }\n";

fn in_steps(steps: &str) -> Vec<String> {
    problems(&format!("{TOP}steps:\n{steps}"))
}

fn one(found: &[String]) -> &str {
    assert_eq!(found.len(), 1, "{found:#?}");
    &found[0]
}

#[test]
fn all_problems_are_reported_at_once_with_their_places() {
    let text = "flow: Not A Name\nversion: 0\ncolour: red\ntrigger: { source: stripe, event: payment.lost }\nsteps:\n\
                \x20 - name: a\n    map: .x |\n  - name: a\n    call: epic.fly\n    with: b\n";
    let found = problems(text);
    let places: Vec<&str> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["1:7", "2:10", "3:1", "4:35", "7:14", "8:11", "9:11", "10:11"], "{found:#?}");
    assert!(found[2].contains("has no key `colour`; remove it or use one of: flow, version"), "{}", found[2]);
    assert!(found[3].contains("payment.captured"), "{}", found[3]);
}

#[test]
fn a_mistake_in_a_block_of_jq_is_found_at_its_own_line() {
    let found =
        in_steps("  - name: a\n    map: |\n      {\n        one: 1,\n        two: sine(.x)\n      }\n");
    assert!(
        one(&found).starts_with("9:14: the function sine with 1 arguments is not available"),
        "{found:?}"
    );
}

#[test]
fn a_mistake_in_quoted_jq_is_found_at_its_column() {
    let found = in_steps("  - name: a\n    map: '[.x, $nobody]'\n");
    assert!(one(&found).starts_with("6:16: the variable $nobody does not exist"), "{found:?}");
}

#[test]
fn a_jump_back_is_refused() {
    let found = in_steps("  - name: a\n    map: .x\n  - name: b\n    condition: true\n    then: a\n");
    assert!(
        one(&found).starts_with("9:11: `then` jumps back to \"a\"; jump to a later step only"),
        "{found:?}"
    );
}

#[test]
fn an_unknown_step_table_set_and_schema_are_named() {
    let found = in_steps(
        "  - name: a\n    map: table(\"t\"; .x)\n  - name: b\n    map: require_in_set(\"s\"; .x)\n    next: z\n\
         \x20 - name: c\n    lookup: table\n    table: t\n    key: .x\n  - name: d\n    map: .x\n    schema: epic.flight\n",
    );
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found[0].starts_with("6:17: there is no table \"t\""), "{}", found[0]);
    assert!(found[1].starts_with("8:26: there is no set \"s\""), "{}", found[1]);
    assert!(found[2].contains("leads to \"z\", which is not a step"), "{}", found[2]);
    assert!(found[4].contains("there is no schema \"epic.flight\""), "{}", found[4]);
}

#[test]
fn a_later_result_cannot_be_read() {
    let found = in_steps("  - name: a\n    map: $b.x\n  - name: b\n    map: .x\n");
    assert!(one(&found).contains("$b is the result of a step that comes later"), "{found:?}");
}

#[test]
fn what_could_loop_or_look_outside_is_refused() {
    for (jq, hint) in [
        ("repeat(.)", "which end"),
        ("[recurse(.x)]", "which end"),
        ("def f: f; f", "definitions are not available"),
        ("now", "take the moment from the event"),
        ("env.HOME", "add a lookup step"),
        ("$ENV.HOME", "does not exist"),
        ("input", "add a lookup step"),
        ("flow_main", "is not available"),
        ("until(. > 3; . + 1)", "which end"),
        ("include \"x\"; .", "this is not jq"),
    ] {
        let found = in_steps(&format!("  - name: a\n    map: '{jq}'\n"));
        assert!(found.iter().any(|line| line.contains(hint)), "{jq}: {found:?}");
    }
}

#[test]
fn an_expression_that_would_exhaust_the_parser_is_refused_or_compiled_but_never_crashes() {
    let long = |unit: &str, times: usize| {
        in_steps(&format!("  - name: a\n    map: |\n      {}1\n", unit.repeat(times)))
    };
    assert!(one(&long("(", 300)).contains("nested deeper"));
    assert!(one(&long(". ", 3000)).contains("more than 2000"));
    assert!(one(&long("1+", 9000)).contains("longer than"));
    for unit in ["-", ".|", "1+", "1,", "try ", ".?//", "if . then . else ", ". as $x|"] {
        assert!(one(&long(unit, 400)).contains("more than"), "{unit}");
        long(unit, 95);
        long(unit, 48);
    }
}

#[test]
fn a_map_of_many_fields_is_not_deep() {
    let fields = "a: (.x.y // .z), ".repeat(120);
    assert_eq!(
        in_steps(&format!("  - name: a\n    map: |\n      {{ {fields} b: 1 }}\n")),
        Vec::<String>::new()
    );
}

#[test]
fn a_fraction_in_a_table_is_refused_because_it_is_not_exact() {
    let found =
        problems(&format!("{TOP}tables: {{ fee: {{ low: 1.5 }} }}\nsteps:\n  - name: a\n    map: .x\n"));
    assert!(one(&found).starts_with("4:23: a number with a fraction is not exact"), "{found:?}");
}

#[test]
fn text_that_is_not_yaml_is_one_problem() {
    assert_eq!(problems("flow: [\n").len(), 1);
    assert_eq!(problems("flow: a\nflow: b\n").len(), 1);
    assert!(one(&problems("")).contains("not a map"));
}
