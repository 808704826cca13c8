//! Speed of reading pages, by part: charset, tree and all of it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tsumugi_page::{PageConfig, PageHeaders, decode, parse_with};

/// A page of some 200 KB as they are: menus, articles with images, a footer.
fn page() -> String {
    let mut html = String::from(
        "<!DOCTYPE html><html lang=ja><head><meta charset=utf-8><title>紅茶</title></head><body>",
    );
    html.push_str("<nav><ul>");
    for at in 0..200 {
        html.push_str(&format!(
            "<li class='menu-item item-{at}'><a href='/list/{at}?a=1&amp;b=2'>項目{at}</a></li>"
        ));
    }
    html.push_str("</ul></nav><main><h1>紅茶のいれ方</h1>");
    for at in 0..300 {
        html.push_str(&format!(
            "<div class='entry-content' id=p{at}><p>ポットとカップを温めておき、<b>沸かしたての湯</b>を注いで三分ほど蒸らします。</p>\n\
             <figure><img src='/img/{at}.jpg' alt='紅茶 {at}' width=640 height=480><figcaption>図 {at}</figcaption></figure>\n\
             <script>var x = {at}; if (x < 3) {{ document.write('<p>'); }}</script>\n\
             <p>Pour boiling water over the leaves &amp; wait for three minutes.</p></div>\n"
        ));
    }
    html.push_str("</main><footer><p>Copyright</p></footer></body></html>");
    html
}

fn pages(criterion: &mut Criterion) {
    let html = page();
    let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode(&html);
    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Bytes(html.len() as u64));
    group.bench_function("charset of UTF-8", |bench| bench.iter(|| decode(html.as_bytes(), None)));
    group.bench_function("charset of Shift_JIS", |bench| bench.iter(|| decode(&shift_jis, None)));
    let headers = PageHeaders::default();
    let mut config = PageConfig::default();
    group.bench_function("with main text", |bench| {
        bench.iter(|| parse_with(&config, html.as_bytes(), &headers, "http://example.test/"));
    });
    config.tell_boilerplate = false;
    group.bench_function("all text", |bench| {
        bench.iter(|| parse_with(&config, html.as_bytes(), &headers, "http://example.test/"));
    });
    group.finish();
}

criterion_group!(benches, pages);
criterion_main!(benches);
