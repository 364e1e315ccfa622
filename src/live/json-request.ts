/** One small request to a server of ours, and its answer as JSON. */
import http from 'node:http';

export interface JsonAnswer {
  readonly status: number;
  /** Undefined where there is none. */
  readonly body: unknown;
}

/** Rejects where no whole answer comes. */
export function requestJson(url: URL | string, method: string, signal?: AbortSignal): Promise<JsonAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent: false, ...(signal === undefined ? {} : { signal }) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (text += part));
      answer.on('error', reject);
      answer.once('close', () => reject(new Error('broken off')));
      answer.once('end', () => {
        try {
          resolve({ status: answer.statusCode!, body: text === '' ? undefined : JSON.parse(text) });
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    request.on('error', reject);
    request.end();
  });
}
