// What k6 has and its types leave out.

declare var console: { error(text: string): void; warn(text: string): void };
