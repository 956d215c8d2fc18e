namespace nixlStripe {}
