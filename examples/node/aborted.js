'use strict';

/** Settles as the job does, or with the signal's reason as soon as it comes; `stop` is called then. */
function orAborted(job, signal, stop = () => {}) {
  if (!signal) return job;
  return new Promise((resolve, reject) => {
    const abort = () => {
      stop();
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    job.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

module.exports = { orAborted };
