//! Reads a reference tool's own prompt from its Python source: the one string in a file that contains both an answer and a
//! reference answer, either an f-string in pieces or a text for `str.format`.

/// One string literal, escapes resolved.
struct Literal {
    text: String,
    is_f: bool,
    is_raw: bool,
}

/// Literals with nothing but space between them, which Python takes for one.
type Group = Vec<Literal>;

/// The two messages of a judge's prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Messages {
    /// The system message; empty for none.
    pub(super) system: String,
    /// The user's message, with our names of the fields.
    pub(super) user: String,
}

/// Extracts the prompt from a Python file. The error names what was searched for.
pub(super) fn messages(source: &str) -> Result<Messages, String> {
    let groups = groups(source);
    let prompts: Vec<Result<String, String>> =
        groups.iter().map(prompt).filter(|prompt| prompt.as_ref().map_or(true, |p| is_complete(p))).collect();
    // Texts with fields of another kind are not prompts; they are named only where there is no prompt.
    let user = match prompts.iter().find_map(|prompt| prompt.as_ref().ok()) {
        Some(user) => user.clone(),
        None => {
            let unknown = prompts.into_iter().find_map(Result::err);
            let unknown =
                unknown.map(|field| format!(" (the field {{{field}}} is not known)")).unwrap_or_default();
            return Err(format!("no string in it puts an answer beside a reference answer{unknown}"));
        }
    };
    let plain: Vec<Option<String>> = groups.iter().map(plain).collect();
    let system = plain.windows(3).find_map(|w| match w {
        [Some(role), Some(content), Some(text)] if role == "system" && content == "content" => {
            Some(text.clone())
        }
        _ => None,
    });
    Ok(Messages { system: system.unwrap_or_default(), user })
}

fn is_complete(prompt: &str) -> bool {
    prompt.contains("{reference}") && prompt.contains("{answer}")
}

/// A text without fields.
fn plain(group: &Group) -> Option<String> {
    group
        .iter()
        .all(|literal| !literal.is_f)
        .then(|| group.iter().map(|literal| literal.text.as_str()).collect())
}

/// The text with our names of the fields; the error is a field that is not known.
fn prompt(group: &Group) -> Result<String, String> {
    let any_f = group.iter().any(|literal| literal.is_f);
    let mut out = String::new();
    for literal in group {
        if any_f && !literal.is_f {
            out.push_str(&literal.text);
        } else {
            fields(&literal.text, &mut out)?;
        }
    }
    Ok(out)
}

/// Resolves doubled braces, and renames what stands in single ones.
fn fields(text: &str, out: &mut String) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let doubled = ["{{", "}}"].into_iter().find(|pair| rest.starts_with(pair));
        if let Some(pair) = doubled {
            out.push_str(&pair[..1]);
            rest = &rest[2..];
            continue;
        }
        let end =
            rest.find('}').filter(|end| *end > 0).ok_or_else(|| rest.chars().take(20).collect::<String>())?;
        let field = &rest[1..end];
        out.push_str(name(field).ok_or_else(|| field.to_owned())?);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(())
}

/// Our name of an expression, by the words that the references use.
fn name(expression: &str) -> Option<&'static str> {
    const WORDS: [(&str, &[&str]); 6] = [
        ("{context}", &["context"]),
        ("{rule}", &["prompt", "rule"]),
        ("{role}", &["role"]),
        ("{answer}", &["ans2", "model_answer", "pred"]),
        ("{reference}", &["ans1", "gpt4", "ref", "answer"]),
        ("{question}", &["ques", "text"]),
    ];
    let expression = expression.to_lowercase();
    let found = WORDS.iter().find(|(_, words)| words.iter().any(|word| expression.contains(word)));
    found.map(|(name, _)| *name)
}

/// The string literals of a source in their order.
fn groups(source: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut joined = false;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if c == '#' {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if c.is_whitespace() || c == '\\' {
            rest = &rest[c.len_utf8()..];
        } else if let Some((literal, after)) = literal(rest) {
            match groups.last_mut().filter(|_| joined) {
                Some(group) => group.push(literal),
                None => groups.push(vec![literal]),
            }
            (joined, rest) = (true, after);
        } else {
            // A name is passed over whole, so that its last letter is not a prefix of a string.
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (joined, rest) = (false, &rest[word.max(c.len_utf8())..]);
        }
    }
    groups
}

/// The literal that the text starts with, and what follows it.
fn literal(text: &str) -> Option<(Literal, &str)> {
    let start = text.find(['"', '\'']).filter(|at| *at <= 2)?;
    let prefix = text[..start].to_ascii_lowercase();
    if !prefix.chars().all(|c| matches!(c, 'f' | 'r' | 'b' | 'u')) {
        return None;
    }
    let body = &text[start..];
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| body.starts_with(quote))?;
    let mut literal =
        Literal { text: String::new(), is_f: prefix.contains('f'), is_raw: prefix.contains('r') };
    let mut rest = &body[quote.len()..];
    loop {
        if let Some(after) = rest.strip_prefix(quote) {
            return Some((literal, after));
        }
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' if !literal.is_raw => rest = escape(rest, &mut literal.text),
            '\\' => {
                let next = rest.chars().next()?;
                literal.text.extend([c, next]);
                rest = &rest[next.len_utf8()..];
            }
            _ => literal.text.push(c),
        }
    }
}

/// Resolves the escape after a backslash; returns what follows it.
fn escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(c) = rest.chars().next() else { return rest };
    let after = &rest[c.len_utf8()..];
    let digits = match c {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0 {
        let code =
            after.get(..digits).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        if let Some(code) = code {
            out.push(code);
            return &after[digits..];
        }
    }
    match c {
        '\n' => {}
        'n' => out.push('\n'),
        't' => out.push('\t'),
        'r' => out.push('\r'),
        '\\' | '\'' | '"' => out.push(c),
        _ => out.extend(['\\', c]),
    }
    after
}

#[cfg(test)]
mod tests {
    use super::messages;

    #[test]
    fn a_text_for_format() {
        let source = r#"
# A comment with "quotes" and {braces}.
PATTERN = r"\{.*?\}"
TASK = """
評点を付ける。
{{
    "状況": {context},
    "問い": {question}, "手本": {gpt4o_answer}, "解答": {model_answer}
}}
"""
def ask(x):
    return [{"role": "system", "content": "評価者" "です。"}, {"role": "user", "content": x}]
"#;
        let found = messages(source).unwrap();
        assert_eq!(found.system, "評価者です。");
        assert_eq!(
            found.user,
            "\n評点を付ける。\n{\n    \"状況\": {context},\n    \"問い\": {question}, \"手本\": {reference}, \"解答\": {answer}\n}\n"
        );
        let other = "X = '''Q: {Question} A: {Answer} P: {Prediction}'''";
        assert_eq!(messages(other).unwrap().user, "Q: {question} A: {reference} P: {answer}");
    }

    #[test]
    fn f_strings_in_pieces() {
        let source = r#"
content = (
    f'[C]\n{ques["context"]}\n'  # the context
    f"[Q]{ques['text']} [{role} 1]{ans1[args.gpt4_answer_col]}"
    "{no field}"
    f"[{role} 2]{ans2[args.answer_col]} \u3042 {prompt}"
)
"#;
        assert_eq!(
            messages(source).unwrap().user,
            "[C]\n{context}\n[Q]{question} [{role} 1]{reference}{no field}[{role} 2]{answer} あ {rule}"
        );
    }

    #[test]
    fn what_is_no_prompt_is_said() {
        assert!(messages("x = 'a'").unwrap_err().contains("no string"));
        assert!(messages("x = f'{pred} {reference} {strange}'").unwrap_err().contains("strange"));
        for broken in ["\"", "f'{", "'''a", "x = f'{}'", "\\", "f'\\"] {
            assert!(messages(broken).is_err(), "{broken}");
        }
    }
}
