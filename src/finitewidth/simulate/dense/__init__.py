"""The dense reference: every weight is drawn and stored, backpropagation is written out here."""
