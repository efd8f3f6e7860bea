/** How `tern do` is asked, one a line: for its own help, and for the list of verbs. */
export const DO_EXAMPLES = `tern do
tern do pools state pool=app host=10.0.0.1:80 to=drain
tern do balance enable service=web group=green
tern do pools --help`;
