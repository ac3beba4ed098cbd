/** Owns: what `holdfast --help` says. */
export const usage = `holdfast: look at calls, and at the number that brings them

  holdfast calls [--limit 20] [--json]   the calls in the journal, newest first
  holdfast show <callId> [--json]        one call's log, as it was written
  holdfast replay <callId> [--json]      the log driven through the chart again; exits 1 where the states differ
  holdfast export <callId> [--out FILE]  everything that is known of a call, as one JSON file
  holdfast inspect <callId>              a page on this host that opens the call in the Stately inspector, after a click
  holdfast inspect <callId> --file FILE  the inspector's messages, one JSON line each, and nothing is sent
  holdfast erase <callId> [--yes]        what was said, numbers, tool arguments and results of an ended call, for good
  holdfast erase --older-than 30d        the same of every call that ended longer ago
  holdfast instances [--json]            the processes that share the journal
  holdfast instances --log [--limit 20]  what happened to them: starts, phases, drains, refusals, logins, erasures
  holdfast number point-here             sends the number's calls to this service, and prints where they went before
  holdfast --version

The journal is JOURNAL_URL, sqlite:data/holdfast.db unless set. \`number\` reads TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN,
TWILIO_PHONE_NUMBER, PUBLIC_URL or NGROK_AUTHTOKEN, and TWILIO_FALLBACK_URL. A file .env in this folder is read as well.`;
