//! Invented people and places: plausible enough to show that redaction works, nobody real.

use crate::Rng;

const FIRST_NAMES: [&str; 12] = [
    "Marisol",
    "Dwayne",
    "Priya",
    "Tomasz",
    "Keisha",
    "Rafael",
    "Anneliese",
    "Hung",
    "Latoya",
    "Emre",
    "Siobhan",
    "Luis",
];
const LAST_NAMES: [&str; 12] = [
    "Okafor",
    "Brandt",
    "Villanueva",
    "Kowalczyk",
    "Patel",
    "Hathaway",
    "Nguyen",
    "Delacroix",
    "Yildirim",
    "Moreno",
    "Lindqvist",
    "Adeyemi",
];
const STREETS: [&str; 6] = [
    "Quarry Rd",
    "Alder St",
    "Foundry Ave",
    "Millrace Ln",
    "Harbor Blvd",
    "Juniper Ct",
];
/// Projects of the invented contractor.
pub const PROJECTS: [&str; 5] = [
    "Riverside Elementary Modernization",
    "Harbor Point Parking Structure",
    "County Line Water Treatment",
    "Maple Avenue Bridge Rehab",
    "Station 12 Firehouse",
];

/// An invented person with the data that payroll systems carry and nobody else should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address in a reserved domain.
    pub email: String,
    /// Phone number in the range reserved for fiction.
    pub phone: String,
    /// A number in the form of a social security number.
    pub ssn: String,
    /// One line of postal address.
    pub address: String,
}

impl Person {
    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// Invents a person.
pub fn person(rng: &mut Rng) -> Person {
    let (first_name, last_name) = (*rng.pick(&FIRST_NAMES), *rng.pick(&LAST_NAMES));
    Person {
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        email: format!("{}.{}@example.com", first_name.to_lowercase(), last_name.to_lowercase()),
        phone: format!("({}) 555-01{:02}", rng.between(201, 989), rng.below(100)),
        ssn: format!(
            "{}-{:02}-{:04}",
            rng.between(101, 649),
            rng.between(11, 88),
            rng.between(1000, 9998)
        ),
        address: format!("{} {}", rng.between(12, 4980), rng.pick(&STREETS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_plausible_and_repeatable() {
        let one = person(&mut Rng::new(3));
        assert_eq!(one, person(&mut Rng::new(3)));
        assert!(one.email.ends_with("@example.com") && one.phone.contains(" 555-01"));
        assert_eq!(one.ssn.len(), 11);
    }
}
