"""What runs in the made-up company's AWS accounts: moto, filled from the fleet, and what moto lacks."""
