/** Owns: Node's own `import`, for a test that gets this file by Node's own `require`. */
export const importModule = (url: string): Promise<Record<string, unknown>> => import(url);
