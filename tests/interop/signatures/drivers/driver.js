// What the Node.js drivers share: requests in, answers out, a line of JSON each.
'use strict'
const readline = require('node:readline')

// What the implementation has no means to express, whatever the request.
class Unsupported extends Error {}

function protocolParameters (request) {
  const parameters = {
    oauth_consumer_key: request.consumer_key,
    oauth_token: request.token,
    oauth_signature_method: request.signature_method,
    oauth_timestamp: request.timestamp,
    oauth_nonce: request.nonce,
    oauth_version: request.version ? '1.0' : null,
    ...request.extra
  }
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null))
}

function answerAll (answer) {
  readline.createInterface({ input: process.stdin }).on('line', line => {
    const request = JSON.parse(line)
    const reply = { id: request.id }
    try {
      [reply.base_string, reply.signature] = answer(request)
    } catch (error) {
      if (error instanceof Unsupported) reply.unsupported = error.message
      else reply.refusal = `${error.name}: ${error.message}`
    }
    console.log(JSON.stringify(reply))
  })
}

module.exports = { Unsupported, answerAll, protocolParameters }
