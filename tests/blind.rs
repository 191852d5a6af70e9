//! The blind test's statistics and log.

use vrvq::blind::{BlindTest, Side, chance, save};

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
    let mut test = BlindTest::default();
    let mut seen = Vec::new();
    for _ in 0..400 {
        seen.push(test.x());
        let right = test.answer(Side::A, "level 16.0".into());
        assert_eq!(right, *seen.last().unwrap() == Side::A);
    }
    let drawn = seen.iter().filter(|&&x| x == Side::A).count();
    assert_eq!(test.right(), drawn);
    // Beyond six standard deviations, and runs as long as a fair coin makes them.
    assert!((140..=260).contains(&drawn), "{drawn} of 400");
    let changes = seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!((140..=260).contains(&changes), "{changes} changes");
}

#[test]
fn the_log_tells_every_trial() {
    let mut test = BlindTest::default();
    let xs: Vec<Side> = (0..3)
        .map(|_| {
            let x = test.x();
            test.answer(x, "level 8.0, left/right".into());
            x
        })
        .collect();
    let folder = std::env::temp_dir().join(format!("vrvq-blind-{}", std::process::id()));
    let path = save(&test, "a model, with a comma", &folder).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "trial,time,model,setting,x,answer,right,chance");
    assert_eq!(lines.len(), 4);
    let last = format!("\"a model, with a comma\",\"level 8.0, left/right\",{0},{0},3,0.1250", xs[2].name());
    assert!(lines[3].starts_with("3,20") && lines[3].ends_with(&last), "{}", lines[3]);
    std::fs::remove_dir_all(&folder).unwrap();

    let file = std::env::temp_dir().join(format!("vrvq-blind-file-{}", std::process::id()));
    std::fs::write(&file, "in the way").unwrap();
    let error = save(&test, "", &file).unwrap_err().to_string();
    assert!(error.contains("can't be written") && error.contains("abx-"), "{error}");
    std::fs::remove_file(&file).unwrap();
}
