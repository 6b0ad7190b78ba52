//! Presets: settings under the name of the product that has them by default. Where a scenario names
//! one, it stands for all settings of its table that are not written there.

/// Makes the enum of the presets of some settings, and what each stands for. The settings have a
/// key `preset`, and their schema has what `all` gives as `x-presets`: by that a file is read, and
/// by that the reference tells of them.
macro_rules! presets {
    (
        $(#[$about:meta])*
        $Presets:ident of $Settings:ident {
            $($(#[$doc:meta])* $name:literal $Product:ident { $($key:ident: $value:expr),* $(,)? })*
        }
    ) => {
        $(#[$about])*
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            serde::Serialize,
            serde::Deserialize,
            schemars::JsonSchema,
        )]
        pub enum $Presets {
            $(
                $(#[$doc])*
                #[serde(rename = $name)]
                $Product,
            )*
        }

        impl $Presets {
            /// What each stands for, by its name.
            pub(crate) fn all() -> std::collections::BTreeMap<&'static str, $Settings> {
                std::collections::BTreeMap::from([$((
                    $name,
                    $Settings {
                        preset: Some($Presets::$Product),
                        $($key: $value,)*
                        ..$Settings::default()
                    },
                ),)*])
            }
        }
    };
}

pub(crate) use presets;
