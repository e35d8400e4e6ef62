// npm oauth-1.0a
'use strict'
const crypto = require('node:crypto')
const querystring = require('node:querystring')
const OAuth = require('oauth-1.0a')
const { answerAll, protocolParameters } = require('./driver')

answerAll(request => {
  const options = {
    consumer: { key: request.consumer_key, secret: request.consumer_secret },
    signature_method: request.signature_method
  }
  if (request.signature_method !== 'PLAINTEXT') {
    const algorithm = request.signature_method.replace('HMAC-', '').toLowerCase()
    options.hash_function = (text, key) =>
      crypto.createHmac(algorithm, key).update(text).digest('base64')
  }
  const oauth = new OAuth(options)
  // Its users hand it a form's fields as an object.
  const data = querystring.parse(request.form ?? '')
  const toSign = { method: request.method, url: request.url, data }
  const parameters = protocolParameters(request)
  return [
    oauth.getBaseString(toSign, parameters),
    oauth.getSignature(toSign, request.token_secret, parameters)
  ]
})
