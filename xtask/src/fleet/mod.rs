//! `cargo xtask fleet`: what 10,000 and 1,000,000 boards ask for, by simulation. Nothing is measured here: what a look and
//! an update cost are the limits of `cargo xtask bench`, and what a server answers are arguments.
//!
//! - [`model`]: fleets, costs, servers, rollouts
//! - [`simulate`]: second by second, from a day before a release until 99 percent have it

mod model;
mod simulate;

use anyhow::{Context, Result, bail};
use model::{Costs, Fleet, Place, ROLLOUTS};
use simulate::{DAY, Outcome};

const USAGE: &str = "fleet [--boards N]... [--look CASE] [--update CASE] [--rate N] [--link MBIT] [--seed N]
      [--per-address N] [--rollout-bytes N] [--price-requests PER_MILLION] [--price-gb PER_GB] [--power-cut]
  --look, --update: cases of xtask/bench.toml [10.nothing, 100.all]
  --rate: requests that `mpota serve` answers in a second, as `cargo xtask load` prints them [37219]
  --link: what it is connected by, in Mbit/s [1000]
  --per-address: boards that share an address, for the limit of GitHub's API [10]
  --rollout-bytes: of the file of a rollout; the default is the most that the format allows [1536]
  --price-requests, --price-gb: what a CDN asks for; without them no money is printed
  --power-cut: all boards start in the same minute";

/// What the command line says.
struct Arguments {
    boards: Vec<u32>,
    look: String,
    update: String,
    rate: f64,
    link: f64,
    per_address: f64,
    rollout_bytes: u64,
    price: [Option<f64>; 2],
    power_cut: bool,
    seed: u64,
}

impl Arguments {
    fn parse(args: &[String]) -> Result<Self> {
        let mut out = Self {
            boards: Vec::new(),
            look: "10.nothing".into(),
            update: "100.all".into(),
            rate: 37_219.0,
            link: 1_000.0,
            per_address: 10.0,
            rollout_bytes: 1_536,
            price: [None, None],
            power_cut: false,
            seed: 1,
        };
        let mut rest = args.iter().map(String::as_str);
        while let Some(arg) = rest.next() {
            if arg == "--power-cut" {
                out.power_cut = true;
                continue;
            }
            let value = rest.next().context(USAGE)?;
            let number = || value.parse::<f64>().ok().filter(|n| *n >= 0.0).context(USAGE);
            match arg {
                "--boards" => out.boards.push(number()? as u32),
                "--look" => out.look = value.into(),
                "--update" => out.update = value.into(),
                "--rate" => out.rate = number()?,
                "--link" => out.link = number()?,
                "--per-address" => out.per_address = number()?,
                "--rollout-bytes" => out.rollout_bytes = number()? as u64,
                "--price-requests" => out.price[0] = Some(number()?),
                "--price-gb" => out.price[1] = Some(number()?),
                "--seed" => out.seed = value.parse().ok().context(USAGE)?,
                _ => bail!(USAGE),
            }
        }
        if out.boards.is_empty() {
            out.boards = vec![10_000, 1_000_000];
        }
        Ok(out)
    }

    /// What the traffic costs, if there are prices.
    fn money(&self, out: &Outcome) -> Option<f64> {
        let [requests, gb] = self.price;
        let (requests, gb) = (requests?, gb?);
        let price = |traffic: simulate::Traffic| {
            traffic.requests as f64 / 1e6 * requests + traffic.bytes as f64 / 1e9 * gb
        };
        Some(price(out.quiet) * 30.0 + price(out.release))
    }
}

/// Simulate, and print a table.
pub fn run(args: &[String]) -> Result<()> {
    let arguments = Arguments::parse(args)?;
    let costs = Costs::load(&arguments.look, &arguments.update, arguments.rollout_bytes)?;
    println!(
        "a look: {} request, {} bytes ({}); an update besides: {} requests, {} bytes ({})\n",
        costs.look.requests,
        costs.look.bytes,
        arguments.look,
        costs.update.requests,
        costs.update.bytes,
        arguments.update
    );
    let bill = if arguments.price.contains(&None) { "" } else { " a bucket: money a month |" };
    println!(
        "| boards | rollout | a day with nothing new | from the release to 99 % | peak | 99 % have it after | GitHub's API, of 60 an hour and address | one `mpota serve` |{bill}"
    );
    println!(
        "| --- | --- | --- | --- | --- | --- | --- | --- |{}",
        if bill.is_empty() { "" } else { " --- |" }
    );
    for boards in &arguments.boards {
        for (every, interval) in [("a day", DAY), ("an hour", 3_600)] {
            let spread = if arguments.power_cut { 60 } else { interval };
            let fleet = Fleet { boards: *boards, interval, spread };
            for (name, rollout) in ROLLOUTS {
                // GitHub and a bucket are larger than any fleet here: this is what they get.
                let large = simulate::run(&fleet, &Place::unlimited(), &costs, &rollout, arguments.seed);
                let own = Place::new(arguments.rate, arguments.link * 1e6 / 8.0);
                let own = simulate::run(&fleet, &own, &costs, &rollout, arguments.seed);
                println!(
                    "| {}, a look {every} | {name} | {} requests, {} | {} requests, {} | {}/s, {} Mbit/s | {} | {} | {} |{}",
                    count(u64::from(*boards)),
                    count(large.quiet.requests),
                    size(large.quiet.bytes),
                    count(large.release.requests),
                    size(large.release.bytes),
                    count(large.peak),
                    count(large.peak_bytes * 8 / 1_000_000),
                    large.done.map_or("never".into(), time),
                    api(arguments.per_address, interval),
                    serve(&own),
                    arguments.money(&large).map_or(String::new(), |sum| format!(" {sum:.2} |")),
                );
            }
        }
    }
    Ok(())
}

/// What boards at one address ask of GitHub's API, which only private repositories and a CONFIG with `api_url` take.
fn api(per_address: f64, interval: u32) -> String {
    let asked = per_address * 3_600.0 / f64::from(interval);
    format!("{asked:.1}{}", if asked > 60.0 { ": broken" } else { "" })
}

fn serve(out: &Outcome) -> String {
    match out.unanswered {
        0 if out.slowest <= 1 => "keeps up".into(),
        0 => format!("keeps up, the slowest answer takes {} s", out.slowest),
        looks => format!("{} looks get no answer in 20 s", count(looks)),
    }
}

/// With a comma for each thousand.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000_000_000 => format!("{} MB", count(bytes / 1_000_000)),
        _ => format!("{} GB", count(bytes / 1_000_000_000)),
    }
}

fn time(seconds: u32) -> String {
    format!("{:.1} h", f64::from(seconds) / 3_600.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_has_commas_and_units() {
        let counts = [0, 999, 1_000, 12_345_678].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "12,345,678"]);
        assert_eq!([9_999_999_999, 10_000_000_000].map(size), ["9,999 MB", "10 GB"]);
        assert_eq!(time(5_400), "1.5 h");
    }

    #[test]
    fn the_costs_are_those_of_the_bench_and_there_is_no_money_without_prices() {
        let costs = Costs::load("10.nothing", "100.all", 1_000).unwrap();
        assert!(
            costs.look.requests == 1 && costs.update.requests > 1 && costs.update.bytes > costs.look.bytes
        );
        assert!(Costs::load("10.nothing", "none", 1_000).is_err());
        let arguments =
            |text: &str| Arguments::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let out = Outcome {
            quiet: simulate::Traffic { requests: 1_000_000, bytes: 0 },
            release: simulate::Traffic { requests: 0, bytes: 2_000_000_000 },
            ..Outcome::default()
        };
        assert_eq!(arguments("--price-gb 3").unwrap().money(&out), None);
        let priced = arguments("--price-requests 2 --price-gb 3").unwrap();
        assert_eq!(priced.money(&out), Some(66.0));
        assert!(arguments("--price-gb").is_err() && arguments("--what 3").is_err());
    }
}
