"""What stands in the documents: exhibits and sentences of each chapter, taken from the ledger."""
