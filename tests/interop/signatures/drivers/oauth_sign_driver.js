// npm oauth-sign, called as npm request calls it
'use strict'
const querystring = require('node:querystring')
const url = require('node:url')
const oauth = require('oauth-sign')
const { Unsupported, answerAll, protocolParameters } = require('./driver')

answerAll(request => {
  if (request.signature_method === 'HMAC-SHA512') throw new Unsupported('HMAC-SHA512')
  const { protocol, host, pathname, query } = url.parse(request.url)
  const base = `${protocol}//${host ?? ''}${pathname ?? ''}`
  const own = querystring.stringify(protocolParameters(request))
  const parameters = querystring.parse([query, request.form, own].filter(Boolean).join('&'))
  return [
    oauth.generateBase(request.method, base, parameters),
    oauth.sign(request.signature_method, request.method, base, parameters,
      request.consumer_secret, request.token_secret)
  ]
})
