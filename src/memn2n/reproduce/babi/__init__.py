"""The paper's tables on bAbI."""
