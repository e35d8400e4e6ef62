<?php
// PHP's oauth extension (PECL)
declare(strict_types=1);

function answer(array $request): array
{
    $method = $request['signature_method'];
    // It keeps its base string to itself, and a signature of PLAINTEXT proves none.
    if (!in_array($method, ['HMAC-SHA1', 'HMAC-SHA256'], true)) {
        return ['unsupported' => $method];
    }
    if (!$request['version']) {
        return ['unsupported' => 'a request without oauth_version'];
    }
    $oauth = new OAuth($request['consumer_key'], $request['consumer_secret'], $method);
    $oauth->setTimestamp($request['timestamp']);
    $oauth->setNonce($request['nonce']);
    if ($request['token'] !== null) {
        $oauth->setToken($request['token'], $request['token_secret'] ?? '');
    }
    // Its users hand it a form's fields as an array.
    $fields = $request['extra'];
    foreach (explode('&', $request['form'] ?? '') as $field) {
        if ($field !== '') {
            [$name, $value] = explode('=', $field, 2) + [1 => ''];
            $fields[urldecode($name)][] = urldecode($value);
        }
    }
    foreach ($fields as $name => $values) {
        if (is_array($values) && count($values) === 1) {
            $fields[$name] = $values[0];
        }
    }
    $signature = $oauth->generateSignature($request['method'], $request['url'], $fields);
    if ($signature === false) {
        return ['refusal' => 'generateSignature returned false'];
    }
    return ['base_string' => null, 'signature' => $signature];
}

while (($line = fgets(STDIN)) !== false) {
    $request = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    try {
        $reply = answer($request);
    } catch (Throwable $error) {
        $reply = ['refusal' => get_class($error) . ': ' . $error->getMessage()];
    }
    echo json_encode(['id' => $request['id']] + $reply, JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
