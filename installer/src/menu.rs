//! The app in a Linux desktop's menu, by freedesktop.org's specifications. Its name there is that which its window gives.

use std::path::Path;

/// Below the user's data folder.
pub const ICON: &str = "icons/hicolor/scalable/apps/org.vrvq.live.svg";
/// Below the user's data folder.
pub const ENTRY: &str = "applications/org.vrvq.live.desktop";

/// The desktop entry of the app at a path.
pub fn entry(app: &Path) -> String {
    // In its quotes these have a meaning of their own; a backslash is read twice.
    let mut quoted = String::new();
    for character in app.to_string_lossy().chars() {
        match character {
            '\\' => quoted.push_str(r"\\\\"),
            '"' | '`' | '$' => quoted.extend([r"\\", &character.to_string()]),
            '%' => quoted.push_str("%%"),
            other => quoted.push(other),
        }
    }
    format!(
        "[Desktop Entry]\nType=Application\nName=VRVQ live\nComment=Hear and see a variable-bitrate neural audio codec\n\
         Exec=\"{quoted}\" %f\nIcon=org.vrvq.live\nCategories=AudioVideo;Audio;\nStartupWMClass=org.vrvq.live\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_can_stand_in_the_menu() {
        let entry = entry(Path::new("/home/some one/100%/$x/vrvq"));
        assert!(entry.contains("\nExec=\"/home/some one/100%%/\\\\$x/vrvq\" %f\n"), "{entry}");
    }
}
