"""The databases' schemas, one numbered file for each version of each."""
