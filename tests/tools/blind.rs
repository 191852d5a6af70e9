//! The blind test's statistics and log.

use vrvq::blind::{BlindTest, Pair, Side, chance, save};
use vrvq::engine::{Slot, Source};

#[test]
fn the_probability_is_that_of_the_binomial_test() {
    // By counting: 8, 9 and 10 heads of 10 are 45 + 10 + 1 of 1024.
    for (right, trials, expected) in
        [(0, 0, 1.0), (0, 7, 1.0), (1, 1, 0.5), (5, 5, 1.0 / 32.0), (8, 10, 56.0 / 1024.0), (10, 10, 1.0 / 1024.0)]
    {
        assert!((chance(right, trials) - expected).abs() < 1e-12, "{right} of {trials}: {}", chance(right, trials));
    }
    // Far beyond what fits a power of two: the normal approximation.
    assert!((chance(1050, 2000) - 0.0134).abs() < 5e-4, "{}", chance(1050, 2000));
    assert!((0..=20).map(|right| chance(right, 20)).is_sorted_by(|a, b| a >= b));
}

#[test]
fn x_is_drawn_fairly_and_anew() {
    let mut test = BlindTest::new(Pair::dry_and(Slot::One));
    let mut seen = Vec::new();
    for _ in 0..400 {
        seen.push(test.x());
        let right = test.answer(Side::A, sides("level 16.0"));
        assert_eq!(right, *seen.last().unwrap() == Side::A);
    }
    let drawn = seen.iter().filter(|&&x| x == Side::A).count();
    assert_eq!(test.right(), drawn);
    // Beyond six standard deviations, and runs as long as a fair coin makes them.
    assert!((140..=260).contains(&drawn), "{drawn} of 400");
    let changes = seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!((140..=260).contains(&changes), "{changes} changes");
}

fn sides(setting: &str) -> [String; 2] {
    ["dry".into(), format!("setting 1: {setting}")]
}

#[test]
fn pairs_are_scored_each_on_its_own() {
    let mut test = BlindTest::new(Pair::dry_and(Slot::Two));
    assert_eq!(test.pair().source(Side::A), Source::Dry);
    assert_eq!(test.pair().source(Side::B), Source::Decoded(Slot::Two));
    for _ in 0..4 {
        test.answer(test.x(), sides("level 1.0"));
    }
    test.compare(Pair(Source::Decoded(Slot::One), Source::Decoded(Slot::Two)));
    assert_eq!((test.count(), test.right(), test.chance()), (0, 0, 1.0));
    let wrong = if test.x() == Side::A { Side::B } else { Side::A };
    assert!(!test.answer(wrong, sides("level 1.0")));
    assert_eq!((test.count(), test.right(), test.chance()), (1, 0, 1.0));
    test.compare(Pair::dry_and(Slot::Two));
    assert_eq!((test.count(), test.right(), test.chance()), (4, 4, 1.0 / 16.0));
    assert_eq!(test.trials().len(), 5);
}

#[test]
fn the_log_tells_every_trial() {
    let mut test = BlindTest::new(Pair::dry_and(Slot::One));
    let answer = |test: &mut BlindTest| {
        let x = test.x();
        test.answer(x, sides("level 8.0, left/right"));
        x
    };
    answer(&mut test);
    // Another pair between does not count.
    test.compare(Pair(Source::Decoded(Slot::One), Source::Decoded(Slot::Two)));
    answer(&mut test);
    test.compare(Pair::dry_and(Slot::One));
    let last = answer(&mut test).name();
    let folder = std::env::temp_dir().join(format!("vrvq-blind-{}", std::process::id()));
    let path = save(&test, "a model, with a comma", &folder).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "trial,time,model,a,b,x,answer,right,chance");
    assert_eq!(lines.len(), 4);
    let last = format!("\"a model, with a comma\",dry,\"setting 1: level 8.0, left/right\",{last},{last},2,0.2500");
    assert!(lines[3].starts_with("3,20") && lines[3].ends_with(&last), "{}", lines[3]);
    std::fs::remove_dir_all(&folder).unwrap();

    let file = std::env::temp_dir().join(format!("vrvq-blind-file-{}", std::process::id()));
    std::fs::write(&file, "in the way").unwrap();
    let error = save(&test, "", &file).unwrap_err().to_string();
    assert!(error.contains("can't be written") && error.contains("abx-"), "{error}");
    std::fs::remove_file(&file).unwrap();
}
