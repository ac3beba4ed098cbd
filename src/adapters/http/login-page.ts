/**
 * Owns: the page on which an operator shows the token. It needs no script and loads nothing.
 * Does not own: the console (`src/console`).
 */
import { createHash } from 'node:crypto';

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { width: min(22rem, calc(100vw - 2rem)); }
h1 { font-size: 1.25rem; }
label { display: block; margin-top: 1rem; }
input, button { box-sizing: border-box; width: 100%; padding: .6rem; margin-top: .25rem; font: inherit; }
button { margin-top: 1.5rem; cursor: pointer; }
[role=alert] { padding: .5rem .75rem; border: 2px solid currentColor; }
`;

const styleDigest = createHash('sha256').update(style).digest('base64');

export const loginPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${styleDigest}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const problems = {
  none: '',
  wrongToken: 'The token is wrong.',
  tooManyTries: 'Too many wrong tries. Wait a minute.',
  nameless: 'Say who you are, in at most 60 characters: the logs name whoever gives a command.',
} as const;

export type LoginProblem = keyof typeof problems;

export const problemText = (problem: LoginProblem): string => problems[problem];

/** Nothing of what was typed is shown again. */
export function loginPage(problem: LoginProblem): string {
  const alert = problem === 'none' ? '' : `<p role="alert">${problems[problem]}</p>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast: log in</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Holdfast</h1>
${alert}<form method="post" action="/login">
<label for="name">Your name, for the record of who did what</label>
<input id="name" name="name" autocomplete="username" maxlength="60" required autofocus>
<label for="token">Token (ADMIN_TOKEN)</label>
<input id="token" name="token" type="password" autocomplete="current-password" required>
<button>Log in</button>
</form>
</main>
</body>
</html>
`;
}
