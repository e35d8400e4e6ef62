// npm oauth
'use strict'
const querystring = require('node:querystring')
const { OAuth } = require('oauth')
const { Unsupported, answerAll } = require('./driver')

answerAll(request => {
  if (!request.version) throw new Unsupported('a request without oauth_version')
  if (request.signature_method === 'HMAC-SHA512') throw new Unsupported('HMAC-SHA512')
  const oauth = new OAuth(null, null, request.consumer_key, request.consumer_secret,
    '1.0', null, request.signature_method)
  oauth._getTimestamp = () => request.timestamp
  oauth._getNonce = () => request.nonce
  let baseString
  const sign = oauth._createSignature
  oauth._createSignature = (text, secret) => {
    baseString = text
    return sign.call(oauth, text, secret)
  }
  // Its users hand it a form's fields as an object.
  const fields = { ...request.extra, ...querystring.parse(request.form ?? '') }
  const signed = oauth._prepareParameters(
    request.token, request.token_secret ?? undefined, request.method, request.url, fields)
  return [baseString, signed.at(-1)[1]]
})
