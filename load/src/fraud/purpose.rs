//! What draws are for.

/// Independent streams of one seed, so that more draws for one purpose shift no other's.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Where customers live and how they spend.
    Customers,
    /// Where terminals stand.
    Terminals,
    /// Which terminals scenario 2 compromises.
    CompromisedTerminals,
    /// Which customers scenario 3 compromises, and which of their payments.
    CompromisedCustomers,
    /// Which payments a new fleet of terminals takes.
    NewTerminals,
    /// The payments of one customer.
    Payments(u32),
}

impl From<Purpose> for u64 {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Customers => 1,
            Purpose::Terminals => 2,
            Purpose::CompromisedTerminals => 3,
            Purpose::CompromisedCustomers => 4,
            Purpose::NewTerminals => 5,
            Purpose::Payments(customer) => (1 << 32) + u64::from(customer),
        }
    }
}
