//! Pages that are not Japanese, and those that the filters are there for.

/// The languages of pages that are not Japanese.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
    Korean,
}

impl Language {
    /// The code for the `lang` attribute.
    pub(super) fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
            Language::Korean => "ko",
        }
    }

    /// Title and paragraphs.
    pub(super) fn text(self) -> (&'static str, [&'static str; 5]) {
        match self {
            Language::English => (
                "A short guide to Tsumugi",
                [
                    "Tsumugi is a small town between the mountains and the sea, known for its silk and for its quiet harbour.",
                    "The morning market opens at six every Sunday, and most of the vegetables are gone before nine o'clock.",
                    "Visitors can follow the old railway up the valley, crossing seventeen bridges on the way to the last station.",
                    "The lighthouse on the eastern cape may be climbed from April to October when the weather allows it.",
                    "Please take your litter home, keep to the marked paths, and ask before you take pictures of people at work.",
                ],
            ),
            Language::Chinese => (
                "纺町旅游指南",
                [
                    "纺町是一个位于山海之间的小镇，以手工丝绸和宁静的港口而闻名。",
                    "每个星期天早上六点，镇公所前的广场上都会举行热闹的早市，蔬菜往往九点以前就卖完了。",
                    "游客可以乘坐古老的火车沿着山谷而上，途中会经过十七座桥梁和六条隧道。",
                    "东边海角上的灯塔从四月到十月对外开放，天气好的时候可以看到远处的岛屿。",
                    "请把垃圾带回家，不要离开道路，给正在工作的人拍照之前请先征得他们的同意。",
                ],
            ),
            Language::Korean => (
                "쓰무기 마을 안내",
                [
                    "쓰무기는 산과 바다 사이에 자리한 작은 마을로, 손으로 짠 비단과 조용한 항구로 잘 알려져 있습니다.",
                    "매주 일요일 아침 여섯 시에 광장에서 시장이 열리며 채소는 대부분 아홉 시가 되기 전에 다 팔립니다.",
                    "오래된 열차를 타고 골짜기를 따라 올라가면 열일곱 개의 다리와 여섯 개의 터널을 지나게 됩니다.",
                    "동쪽 곶에 있는 등대는 사월부터 시월까지 날씨가 좋은 날에 올라가 볼 수 있습니다.",
                    "쓰레기는 집으로 가져가 주시고, 일하는 사람의 사진을 찍기 전에는 먼저 허락을 받아 주세요.",
                ],
            ),
        }
    }
}

/// An advertisement.
pub(super) const ADVERT: [&str; 6] = [
    "送料無料！今だけ激安セール開催中、クリックして今すぐ購入してください。",
    "ポイント還元で楽天よりも安い、限定クーポンを無料で配布中です。",
    "会員登録は無料、今すぐログインしてお得な情報をメールで受け取りましょう。",
    "人気ランキング一位の商品を激安価格で、送料無料でお届けします。",
    "広告の掲載についてはこちらをクリック、お問い合わせは無料です。",
    "買い物かごに入れて注文するだけ、クレジットカードで簡単にお支払い。",
];

/// A page that says too little.
pub(super) const THIN: [&str; 2] = ["ただいま準備中です。", "もうしばらくお待ちください。"];

/// A sentence that a page repeats over and over.
pub(super) const REPEATED: &str = "つむぎ町の港では今日も元気に朝市が開かれていますのでぜひお越しください。";

/// Contact data, which is not to reach the training data.
pub(super) const CONTACT: &str =
    "見学の申し込みは電話090-0000-1234、または電子メールmado@tsumugi.exampleで受け付けています。";
