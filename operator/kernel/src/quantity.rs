//! Kubernetes' quantities, compared by what they mean. Pure.

/// Its value, if it can be read: bytes, cores or pieces.
pub fn value(quantity: &str) -> Option<f64> {
    let quantity = quantity.trim();
    let end = quantity.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '+').unwrap_or(quantity.len());
    let (number, suffix) = quantity.split_at(end);
    let (base, power) = match suffix {
        "" => (1.0, 0),
        "n" => (1000.0, -3),
        "u" => (1000.0, -2),
        "m" => (1000.0, -1),
        "k" => (1000.0, 1),
        "M" => (1000.0, 2),
        "G" => (1000.0, 3),
        "T" => (1000.0, 4),
        "P" => (1000.0, 5),
        "E" => (1000.0, 6),
        "Ki" => (1024.0, 1),
        "Mi" => (1024.0, 2),
        "Gi" => (1024.0, 3),
        "Ti" => (1024.0, 4),
        "Pi" => (1024.0, 5),
        "Ei" => (1024.0, 6),
        exponent => (10.0, exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    Some(number.parse::<f64>().ok()? * f64::powi(base, power))
}

/// Whether one quantity is less than another. What can't be compared isn't.
pub fn is_less(a: &str, b: &str) -> bool {
    matches!((value(a), value(b)), (Some(a), Some(b)) if a < b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        assert!(is_less("1G", "1Gi") && is_less("1023Mi", "1Gi") && is_less("9e8", "1G"));
        assert!(is_less("500m", "1") && is_less("0.4", "500m") && is_less("999u", "1m"));
        assert!(!is_less("1Gi", "1Gi") && !is_less("lots", "1Gi") && !is_less("1000m", "1"));
    }
}
