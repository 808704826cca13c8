//! A page with a bit of everything: `cargo run -p tsumugi-report --example report -- report.html`.

use tsumugi_report::{
    Bar, Block, Card, Cards, Chart, Column, Error, Facts, Funnel, Image, Page, Section, Series, Stage, Table,
};

fn main() -> Result<(), Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "report.html".into());
    let page = Page::new("A run of nothing")
        .lead("All numbers on this page are made up.")
        .with(Section::new("Data").with(funnel()).with(reasons()))
        .with(Section::new("Samples").with(samples()))
        .with(Section::new("Training").with(Block::grid([loss(), rate()])).with(stages()))
        .with(Section::new("Benchmark").with(Block::grid([scores().into(), categories()])));
    page.write(&path)?;
    println!("{path}");
    Ok(())
}

fn funnel() -> Funnel {
    Funnel::new()
        .with(Stage::new("language", 306, 59).unit("pages").dropped("not_html", 182).dropped("request", 65))
        .with(Stage::new("quality", 59, 47).unit("documents").dropped("opt_out", 2).dropped("too_short", 10))
}

fn reasons() -> Chart {
    Chart::bar("Dropped by reason")
        .unit("documents")
        .with(Bar::new("not_html", 182.0).part("image/png", 120.0).part("text/css", 40.0))
        .with(Bar::new("request", 65.0))
        .with(Bar::new("too_short", 10.0))
        .into()
}

fn samples() -> Cards {
    let card = |n: u32| {
        let score = f64::from(n * 7 % 10) / 10.0;
        Card::new()
            .image(Image::missing(format!("sample {n}")))
            .with(format!("Caption of sample {n}."))
            .fact("score", score)
            .fact("source", if n.is_multiple_of(3) { "alt" } else { "caption" })
    };
    let cards: Cards = (1..=14).map(card).collect();
    cards.sort_by("score").filter_by("source")
}

fn loss() -> Chart {
    let curve =
        |scale: f64| (1..=600).map(move |step| (f64::from(step), 1.2 + scale / f64::from(step).sqrt()));
    Chart::line("Loss by step")
        .x("step")
        .with(Series::new("training", curve(6.0)).averaged(400))
        .with(Series::new("held out", curve(6.5).step_by(100)))
        .into()
}

fn rate() -> Chart {
    let decay = (1..=600).map(|step| (f64::from(step), 1e-3 * (-f64::from(step) / 100.0).exp()));
    Chart::line("Learning rate by step").x("step").log_y().with(Series::new("learning rate", decay)).into()
}

fn stages() -> Table {
    Table::new([
        Column::text("stage"),
        Column::number("tokens"),
        Column::number("loss at last").decimals(3),
        Column::number("speed").unit("tokens/s").decimals(0),
    ])
    .caption("Stages")
    .with(("align", 145_328_u64, 1.530, 6001.2))
    .with(("pretrain", 149_881_u64, 5.022, 4893.4))
    .with(("instruct", 114_691_u64, f64::NAN, None::<f64>))
}

fn scores() -> Chart {
    Chart::interval("Scores with 95 % intervals")
        .with("this run", 26.2, (23.5, 28.6))
        .with("the one before", 24.1, (21.9, 26.0))
        .into()
}

fn categories() -> Block {
    let radar = Chart::radar("Points by category", ["conversation", "detail", "reasoning"])
        .most(100.0)
        .with("this run", [61.0, 42.0, 55.0])
        .with("the one before", [52.0, 47.0, 31.0]);
    let facts = Facts::new().with("questions", 103).with("judge", "none");
    Block::details("By category", [Block::from(radar), facts.into()])
}
