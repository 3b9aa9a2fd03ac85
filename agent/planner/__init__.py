"""Text, dialogue and lexicon to a plan: pure, no LangChain, no I/O. Enter at `plan.plan`."""
