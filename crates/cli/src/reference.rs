//! The reference of all settings, as Markdown.

use tsumugi_pipeline::Group;

use crate::step::Step;

/// A page with every step's settings, by group.
pub(crate) fn markdown(steps: &[Step]) -> String {
    let mut text = String::from(
        "# Settings\n\n\
         Every step takes `--config FILE.toml`; flags win over the file, and the file over the defaults. `--print-config` \
         prints what stands below, with the values of the flags and files that were given. A key `like_this` is the flag \
         `--like-this`; values of nested tables are set with `--set table.key=value`.\n",
    );
    for group in Group::ALL {
        let members: Vec<&Step> = steps.iter().filter(|step| step.command.group() == group).collect();
        if members.is_empty() {
            continue;
        }
        text += &format!("\n## {}\n", group.title());
        for step in members {
            let (name, about) = (step.command.name(), step.command.about());
            text += &format!(
                "\n### {name}\n\n{about}.\n\n```toml\n{}```\n",
                step.default_config().trim_end().to_owned() + "\n"
            );
            if let Some((about, file)) = step.default_file() {
                text += &format!("\n{about}\n\n```toml\n{}\n```\n", file.trim_end());
            }
        }
    }
    text
}
