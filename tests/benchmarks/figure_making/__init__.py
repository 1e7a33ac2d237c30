"""How the documents' figures are made, recorded and found out of date."""
