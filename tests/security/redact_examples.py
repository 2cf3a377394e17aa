"""Examples for the rules of redaction, all invented; put together here, so that no scanner takes one for real."""

from __future__ import annotations

import base64
import json
import random
import string

LETTERS = string.ascii_letters + string.digits
_RANDOM = random.Random(20)


def some(size: int, alphabet: str = LETTERS) -> str:
    """Characters of an alphabet, the same at every run; of all sorts when the alphabet has them."""
    while True:
        text = "".join(_RANDOM.choices(alphabet, k=size))
        sorts = [
            sort
            for sort in (string.ascii_lowercase, string.ascii_uppercase, string.digits)
            if set(sort) & set(alphabet)
        ]
        if size < 8 or all(set(sort) & set(text) for sort in sorts):
            return text


HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
URLSAFE = LETTERS + "-_"
BASE64 = LETTERS + "+/"


def hexed(size: int) -> str:
    return some(size, HEX)


def uuid() -> str:
    return "-".join(hexed(size) for size in (8, 4, 4, 4, 12))


def jwt() -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"sub": some(10), "iat": 1700000000}).encode()).decode().rstrip("=")
    return f"{head}.{body}.{some(43, URLSAFE)}"


def pem(title: str = "RSA PRIVATE KEY", lines: int = 6) -> list[str]:
    return ["-----BEGIN " + title + "-----", *(some(64, BASE64) for _ in range(lines)), "-----END " + title + "-----"]


# kind → tokens that are recognised wherever they stand
TOKENS: dict[str, list[str]] = {
    "aws_access_key": ["AKIA" + some(16, UPPER), "ASIA" + some(16, UPPER), "ABIA" + some(16, UPPER)],
    "aws_session_token": ["FwoGZXIvYXdz" + some(200, BASE64), "IQoJb3JpZ2luX2Vj" + some(200, BASE64) + "=="],
    "aws_bedrock_key": ["ABSK" + some(120, LETTERS) + "=", "bedrock-api-key-" + some(60)],
    "aws_mws_key": ["amzn.mws." + uuid()],
    "google_api_key": ["AIza" + some(35, URLSAFE)],
    "google_oauth_token": ["ya29." + some(80, URLSAFE), "1//0" + some(60, URLSAFE)],
    "amazon_client_secret": ["amzn1.oa2-cs.v1." + hexed(64)],
    "yandex_token": ["y0_" + some(55, URLSAFE)],
    "elastic_key": ["essu_" + some(60, LETTERS)],
    "wandb_key": ["wandb_v1_" + some(27) + "_" + some(43)],
    "cerebras_key": ["csk-" + some(48, LOWER)],
    "fireworks_key": ["fw_" + some(19) + "aB7"],
    "tavily_key": ["tvly-" + some(32), "tvly-dev-" + some(32)],
    "jina_key": ["jina_" + some(60)],
    "voyage_key": ["pa-" + some(36, URLSAFE) + "aB7xyZ9"],
    "helicone_key": ["sk-helicone-" + "-".join(some(7, LOWER) for _ in range(4))],
    "e2b_key": ["e2b_" + hexed(40)],
    "apify_token": ["apify_api_" + some(36)],
    "confluent_key": ["cflt" + some(57, BASE64) + "aB7"],
    "dbt_token": ["dbtc_" + some(40), "dbtu_" + some(40)],
    "infisical_token": ["st." + hexed(24) + "." + hexed(32) + "." + hexed(32)],
    "neon_key": ["napi_" + some(60, LOWER)],
    "render_key": ["rnd_" + some(28)],
    "snyk_token": ["snyk_uat." + hexed(8) + "." + some(60, URLSAFE)],
    "vk_token": ["vk1.a." + some(80, URLSAFE)],
    "google_client_secret": ["GOCSPX-" + some(28, URLSAFE)],
    "firebase_key": ["AAAA" + some(7, LETTERS) + ":APA91b" + some(134, URLSAFE)],
    "azure_client_secret": [some(3) + "8Q~" + some(34, LETTERS)],
    "azure_key": [some(52, LETTERS) + "JQQJ99" + some(26)],
    "azure_devops_token": [some(76) + "AZDO" + some(4)],
    "alibaba_key": ["LTAI" + some(20)],
    "tencent_key": ["AKID" + some(32)],
    "yandex_key": ["AQVN" + some(36, URLSAFE)],
    "digitalocean_token": ["dop_v1_" + hexed(64), "doo_v1_" + hexed(64)],
    "scaleway_key": ["SCW" + some(17, UPPER)],
    "flyio_token": ["fo1_" + some(43, URLSAFE), "fm2_" + some(120, BASE64)],
    "heroku_key": ["HRKU-AA" + some(58, URLSAFE)],
    "cloudflare_key": ["v1.0-" + hexed(24) + "-" + hexed(146)],
    "vercel_token": ["vcp_" + some(56)],
    "netlify_token": ["nfp_" + some(36)],
    "supabase_token": ["sbp_" + hexed(40), "sb_secret_" + some(31, LETTERS)],
    "planetscale_token": ["pscale_tkn_" + some(43, URLSAFE), "pscale_pw_" + some(43, URLSAFE)],
    "github_token": ["gh" + kind + "_" + some(36) for kind in "pousr"] + ["github_pat_" + some(22) + "_" + some(59)],
    "gitlab_token": [
        *("gl" + kind + "-" + some(20, LETTERS) for kind in ("pat", "dt", "rt", "ft", "imt", "soat")),
        "glcbt-64_" + some(20),
        "glptt-" + hexed(40),
        "GR1348941" + some(20, LETTERS),
        "glpat-" + some(27) + ".01." + some(9, LOWER),
    ],
    "bitbucket_token": ["ATBB" + some(32), "ATCTT3" + some(180, URLSAFE)],
    "atlassian_token": ["ATATT3" + some(186, URLSAFE)],
    "npm_token": ["npm_" + some(36)],
    "pypi_token": ["pypi-AgEIcHlwaS5vcmc" + some(120, URLSAFE)],
    "rubygems_token": ["rubygems_" + hexed(48)],
    "nuget_key": ["oy2" + some(43, LOWER)],
    "cargo_token": ["cio" + some(32)],
    "clojars_token": ["CLOJARS_" + hexed(60)],
    "docker_token": ["dckr_pat_" + some(27, URLSAFE)],
    "artifactory_token": ["AKCp" + some(69), "cmVmdGtuO" + some(55)],
    "circleci_token": ["CCIPAT_" + some(22) + "_" + hexed(40)],
    "buildkite_token": ["bkua_" + hexed(40)],
    "sonar_token": ["squ_" + hexed(40), "sqp_" + hexed(40)],
    "pulumi_token": ["pul-" + hexed(40)],
    "terraform_token": [some(14) + ".atlasv1." + some(67, URLSAFE)],
    "vault_token": ["hvs." + some(95, URLSAFE), "hvb." + some(140, URLSAFE), "s." + some(24)],
    "doppler_token": ["dp.pt." + some(43)],
    "onepassword_token": ["ops_eyJ" + some(260, LETTERS)],
    "onepassword_key": ["A3-" + "-".join(some(size, UPPER) for size in (6, 11, 5, 5, 5))],
    "age_key": ["AGE-SECRET-KEY-1" + some(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")],
    "infracost_key": ["ico-" + some(32)],
    "prefect_key": ["pnu_" + some(36)],
    "octopus_key": ["API-" + some(26, UPPER)],
    "openshift_token": ["sha256~" + some(43, URLSAFE)],
    "harness_key": ["pat." + some(22) + "." + some(24) + "." + some(20)],
    "launchdarkly_key": ["sdk-" + uuid()],
    "tailscale_key": ["tskey-auth-" + some(17) + "-" + some(32)],
    "sourcegraph_token": ["sgp_" + hexed(16) + "_" + hexed(40), "sgp_" + hexed(40)],
    "figma_token": ["figd_" + some(40, URLSAFE)],
    "linear_key": ["lin_api_" + some(40)],
    "notion_token": ["ntn_" + some(46), "ntn_" + some(11, "0123456789") + some(35), "secret_" + some(43)],
    "airtable_token": ["pat" + some(14) + "." + hexed(64)],
    "asana_token": ["1/1200000000000001:" + hexed(32), "2/1200000000000001/1200000000000002:" + hexed(32)],
    "contentful_token": ["CFPAT-" + some(43, URLSAFE)],
    "readme_key": ["rdme_" + some(70, LOWER)],
    "typeform_token": ["tfp_" + some(59, LETTERS)],
    "postman_key": ["PMAK-" + hexed(24) + "-" + hexed(34)],
    "frameio_token": ["fio-u-" + some(64, URLSAFE)],
    "dropbox_token": ["sl." + some(135, URLSAFE)],
    "mapbox_token": ["sk.eyJ" + some(60) + "." + some(22)],
    "maxmind_key": [some(6) + "_" + some(29) + "_mmk"],
    "slack_token": [
        "xoxb-59807225104-905225193418-" + some(24),
        "xoxp-59807225104-905225193418-905225193419-" + hexed(32),
        "xapp-1-A" + some(10, UPPER) + "-1234567890123-" + hexed(64),
        "xoxe.xoxp-1-" + some(163, LETTERS),
        "xoxe-1-" + some(146, LETTERS),
    ],
    "discord_token": ["M" + some(23) + "." + some(6) + "." + some(38, URLSAFE)],
    "telegram_token": ["123456789:AA" + some(33, URLSAFE)],
    "twilio_key": ["SK" + hexed(32)],
    "sendgrid_key": ["SG." + some(22, URLSAFE) + "." + some(43, URLSAFE)],
    "mailgun_key": ["key-" + hexed(32), hexed(32) + "-" + hexed(8) + "-" + hexed(8)],
    "mailchimp_key": [hexed(32) + "-us12"],
    "brevo_key": ["xkeysib-" + hexed(64) + "-" + some(16)],
    "resend_key": ["re_" + some(8) + "_" + some(24)],
    "stripe_key": ["sk_live_" + some(24), "rk_live_" + some(99), "sk_test_" + some(24)],
    "stripe_webhook_secret": ["whsec_" + some(32)],
    "square_token": ["EAAA" + some(60, URLSAFE), "sq0atp-" + some(22, URLSAFE), "sq0csp-" + some(43, URLSAFE)],
    "shopify_token": ["shp" + kind + "_" + hexed(32) for kind in ("at", "ca", "pa", "ss")],
    "paypal_token": ["access_token$production$" + some(16, LOWER) + "$" + hexed(32)],
    "plaid_token": ["access-production-" + uuid()],
    "razorpay_key": ["rzp_live_" + some(14)],
    "flutterwave_key": ["FLWSECK-" + hexed(32) + "-X", "FLWSECK_TEST-" + hexed(12)],
    "adyen_key": ["AQEy" + some(120, BASE64)],
    "coinbase_key": ["organizations/" + uuid() + "/apiKeys/" + uuid()],
    "easypost_key": ["EZAK" + some(54)],
    "shippo_token": ["shippo_live_" + hexed(40)],
    "duffel_token": ["duffel_live_" + some(43, URLSAFE)],
    "lob_key": ["live_" + hexed(35)],
    "gocardless_token": ["live_" + some(40, LETTERS)],
    "grafana_token": ["glsa_" + some(32) + "_" + hexed(8), "glc_" + some(120, LETTERS) + "=", "eyJrIjoi" + some(70)],
    "newrelic_key": [
        "NRAK-" + some(27, UPPER),
        "NRII-" + some(32, LETTERS),
        hexed(36) + "NRAL",
        hexed(36) + "FFFFNRAL",
    ],
    "datadog_key": ["ddapp_" + some(34), "ddapi_" + some(34)],
    "dynatrace_token": ["dt0c01." + some(24, UPPER) + "." + some(64, UPPER)],
    "honeycomb_key": ["hcaik_" + some(58, LOWER)],
    "sentry_token": ["sntrys_eyJpYXQiO" + some(80) + "_" + some(43, BASE64), "sntryu_" + hexed(64)],
    "posthog_key": ["phx_" + some(43)],
    "axiom_token": ["xaat-" + uuid()],
    "okta_token": ["SSWS 00" + some(40, URLSAFE)],
    "anthropic_key": ["sk-ant-api03-" + some(93, URLSAFE) + "AA", "sk-ant-admin01-" + some(93, URLSAFE) + "AA"],
    "openrouter_key": ["sk-or-v1-" + hexed(64)],
    "langsmith_key": ["lsv2_pt_" + hexed(32) + "_" + hexed(10)],
    "langfuse_key": ["sk-lf-" + uuid()],
    "openai_key": ["sk-" + some(20) + "T3BlbkFJ" + some(20), "sk-proj-" + some(120, URLSAFE)],
    "huggingface_token": ["hf_" + some(34, string.ascii_letters), "hf_" + some(34)],
    "replicate_token": ["r8_" + some(37)],
    "groq_key": ["gsk_" + some(52)],
    "perplexity_key": ["pplx-" + some(48)],
    "xai_key": ["xai-" + some(80)],
    "pinecone_key": ["pcsk_" + some(6) + "_" + some(63)],
    "nvidia_key": ["nvapi-" + some(64, URLSAFE)],
    "databricks_token": ["dapi" + hexed(32), "dapi" + hexed(32) + "-2"],
    "hubspot_token": ["pat-na1-" + uuid()],
    "facebook_token": ["EAAC" + some(120), "123456789012345|" + some(27, URLSAFE)],
    "twitter_token": ["A" * 22 + some(90)],
    "instagram_token": ["IGQV" + some(130)],
    "twitch_token": ["oauth:" + some(30, LOWER)],
    "salesforce_token": ["00D" + some(12) + "!" + some(90)],
    "adobe_secret": ["p8e-" + some(32)],
    "intra42_secret": ["s-s4t2ud-" + hexed(64)],
    "clickhouse_key": ["4b1d" + some(38)],
    "jwt": [
        jwt(),
        "eyJ" + some(60) + "." + some(40, URLSAFE) + "." + some(16) + "." + some(90, URLSAFE) + "." + some(22),
    ],
}

# How a token is met in logs; `§` is where it stands.
AROUND = (
    "§",
    "token § revoked",
    "using § for billing",
    '{"value":"§"}',
    "GET /v1/things?x=§&page=2 401",
    "rejected: '§', retrying",
    "body=%7B%22v%22%3A%22§%22%7D",
    "multi\nline § text",
)

KEY_FILE = json.dumps(
    {
        "type": "service_account",
        "project_id": "demo",
        "private_key_id": hexed(40),
        "private_key": "\n".join(pem("PRIVATE KEY")) + "\n",
        "client_email": "svc@demo.iam.gserviceaccount.com",
    }
)
KEY_FILE_SECRETS = [*json.loads(KEY_FILE)["private_key"].split("\n")[1:-2]]

_AWS = some(40, BASE64)
_PAIR = "AKIA" + some(16, UPPER)
_BASIC = base64.b64encode(b"svc-user:" + some(12).encode()).decode()
_SLACK = "T" + some(8, UPPER) + "/B" + some(10, UPPER) + "/" + some(24)
_DISCORD = "123456789012345678/" + some(68, URLSAFE)
_TELEGRAM = TOKENS["telegram_token"][0]

# kind, line, what must be gone
SECRETS: list[tuple[str, str, str]] = [
    ("password", "AUTH PLAIN AGJvYgB5RktVNXFDeGxJMG4=", "AGJvYgB5RktVNXFDeGxJMG4="),
    ("password", "a1 AUTHENTICATE XOAUTH2 dXNlcj1hQGIuYwFhdXRoPUJlYXJlcg==", "dXNlcj1hQGIuYwFhdXRoPUJlYXJlcg=="),
    ("password", "AUTH default yFKU5qCxlI0n", "yFKU5qCxlI0n"),
    ("password", "addauth digest super:swordfish", "swordfish"),
    ("one_time_code", "your verification code is 482913.", "482913"),
    ("one_time_code", "SMS code: 4829 sent", "4829"),
    *(
        (kind, line.replace("§", value), value)
        for kind, line, value in (
            ("secret", '{"kty":"OKP","crv":"Ed25519","d":"§"}', some(43, URLSAFE)),
            ("credential", "POST /acs SAMLResponse=§%3D%3D", some(80, BASE64)),
            ("signature", '{\\"url\\":\\"?sig=§%3D\\"}', some(40)),
        )
    ),
    *(
        ("password", line.replace("§", secret), secret)
        for line, secret in (
            ("login password=§ rejected", "CFc#9TCg"),
            ("passwd: § bad", "BWBetY4ZiT!"),
            ("PGPASSWORD=§ psql failed", "dgrnEEfNcC"),
            ('{"password": "§"}', "0AYNr1VK#gDX"),
            ('{"password": "§"}', "correct horse battery staple"),
            ('{"password":"§","user":"bob"}', 'a\\"b{c,d'),
            ('{"msg":"{\\"password\\":\\"§\\"}"}', "Hunter22x"),
            ('{"msg":"{\\\\\\"password\\\\\\":\\\\\\"§\\\\\\"}"}', "Hunter22x"),
            ("{'password': '§'}", "hunter2"),
            ("{'password': u'§'}", "hunter2"),
            ("user[password]=§&commit=1", "hunter2"),
            ("POST /login?user=bob&password=§&x=1", "hunter2"),
            ("body: user%3Dbob%26password%3D§%26x%3D1", "hunter2"),
            ("%7B%22password%22%3A%22§%22%7D", "hunter2"),
            ("<password>§</password>", "hunter2"),
            ("<ns:dbPassword>§</ns:dbPassword>", "hunter2"),
            ('<add key="Password" value="§"/>', "hunter2"),
            ('{"name":"DB_PASSWORD","value":"§"}', "hunter2"),
            ('{"name": "DB_PASSWORD", "value": "§"}', "hunter2"),
            (':password=>"§"', "hunter2"),
            ("'password' => '§'", "hunter2"),
            ("[password] => §", "Hunter2x"),
            ("{User:bob Password:§ Active:true}", "hunter2"),
            ("Login(user=bob, password=§)", "hunter2"),
            ('Config { user: "bob", password: "§" }', "hunter2"),
            ('Config { user: "bob", password: Some("§") }', "hunter2"),
            ('password: SecretString("§")', "hunter2"),
            ("Server=db;User Id=sa;Password=§;Encrypt=True", "hunter2"),
            ("Server=db;Uid=sa;Pwd=§;", "hunter2"),
            ("spring.datasource.password=§", "hunter2"),
            ("spring:\n  datasource:\n    password: §\n", "swordfish"),
            ("password: §", "swordfish"),
            ("db.pass = '§'", "hunter2"),
            ("DB_PASS=§", "hunter2"),
            ("smtpPass=§", "hunter2"),
            ("MYSQL_PWD=§", "hunter2"),
            ("newPassword=§", "hunter2"),
            ("old_password=§", "hunter2"),
            ("password_hash=§", "$2b$12$abcdefghijklmnopqrstuv"),
            ("passphrase: '§'", "open sesame 1"),
            ("kennwort=§", "geheim1"),
            ("password=§, user=bob", "abc,def"),
            ("password=§", "12345678"),
            ("pwd: §", "Hunter2x"),
            ("Password for user bob: §", "hunter22"),
            ("user bob password § rejected", "Tr0ub4dor&3"),
            ("credentials bob:§ rejected", "hunter2x"),
            ("requests.get(url, auth=('bob', '§'))", "hunter2x"),
            ("password=§ end", "admin"),
            ("set password to §", "Hunter22x!"),
            ("the password is §.", "Hunter22x"),
            ("mysqldump -u root -p§ shop", "Hunter2x"),
            ("sshpass -p § ssh host", "hunter2"),
            ("docker login -u bob -p § registry", "hunter2"),
            ("redis-cli -h cache -a § ping", "hunter2"),
            ("curl -u svc:§ https://api", "hunter2"),
            ('curl --user "svc:§" https://api', "hunter2"),
            ("psql --password § db", "hunter2"),
            ("argv: ['--db-password', '§']", "hunter2"),
            ("CREATE USER bob IDENTIFIED BY '§'", "hunter2"),
            ("ALTER ROLE bob WITH PASSWORD '§'", "hunter2"),
            ("requirepass §", "hunter2"),
            ('1616.5 [0 10.0.0.1:5] "AUTH" "§"', "hunter2"),
            ("machine api login bob password §", "hunter2"),
            ('Content-Disposition: form-data; name="password"\r\n\r\n§\r\n--x', "hunter2x"),
            ('password="§', "cut off"),
            ("password=§", "Zz9" * 2000),
        )
    ),
    *(
        ("api_key", line.replace("§", secret), secret)
        for secret in (hexed(32), uuid(), some(40))
        for line in (
            "api_key=§ invalid",
            "X-Api-Key: §",
            '{"apiKey":"§"}',
            "apikey: §",
            "GET /x?api_key=§&q=1",
            "DD-API-KEY: §",
            "Ocp-Apim-Subscription-Key: §",
            "x-functions-key=§",
            "STRIPE_KEY=§",
            "access-key = §",
            "ApiKey(§)".replace("(", "='").replace(")", "'"),
            "license_key: §",
        )
    ),
    *(
        ("token", line.replace("§", secret), secret)
        for secret in (hexed(32), uuid(), some(40, URLSAFE))
        for line in (
            "access_token=§",
            '{"refresh_token":"§","n":1}',
            "x-auth-token: §",
            "X-CSRF-Token: §",
            "callback#access_token=§&state=1",
            "//npm.example.com/:_authToken=§",
            "token: §",
            "agent --token § started",
        )
    ),
    *(
        ("secret", line.replace("§", secret), secret)
        for secret in (hexed(32), some(40))
        for line in ("client_secret=§", '{"clientSecret": "§"}', "secret: §", "APP_SECRET=§", "secret_key_base: §")
    ),
    ("api_key", "GET /maps?key=" + (secret := hexed(32)) + "&q=1", secret),
    ("api_key", "key=" + (secret := some(32)) + " rejected", secret),
    ("secret", "oauth token " + (secret := some(40)) + " expired", secret),
    ("aws_secret_key", "AWS_SECRET_ACCESS_KEY=" + _AWS, _AWS),
    ("aws_secret_key", '{"secretAccessKey":"' + _AWS + '"}', _AWS),
    ("aws_secret_key", "aws secret key " + _AWS + " leaked", _AWS),
    ("aws_secret_key", f"credentials {_PAIR}:{_AWS} used", _AWS),
    ("aws_secret_key", f"{_PAIR}, secret: {_AWS}", _AWS),
    (
        "azure_key",
        "Protocol=https;AccountName=x;AccountKey=" + (secret := some(86, BASE64) + "==") + ";EndpointSuffix=y",
        secret,
    ),
    (
        "azure_key",
        "Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=" + (secret := some(43, BASE64) + "="),
        secret,
    ),
    ("signature", "https://x.blob/y?sv=2020-08-04&se=2024&sig=" + (secret := some(43) + "%3D") + "&sp=r", secret),
    ("signature", "GET /b?X-Amz-Expires=60&X-Amz-Signature=" + (secret := hexed(64)), secret),
    ("session", "session_id=" + (secret := some(26)), secret),
    ("session", "JSESSIONID=" + (secret := some(32, "0123456789ABCDEF")), secret),
    ("session", '{"sid":"' + (secret := some(24)) + '"}', secret),
    ("credential", '{"auth": "' + _BASIC + '"}', _BASIC),
    ("one_time_code", "otp=482913 sent", "482913"),
    ("one_time_code", '{"cvv": "123"}', "123"),
    ("authorization", "Authorization: Bearer " + (secret := some(40, URLSAFE)), secret),
    ("authorization", 'curl -H "Authorization: Bearer ' + (secret := some(40)) + '" failed', secret),
    ("authorization", '{"authorization":["Bearer ' + (secret := some(40)) + '"]}', secret),
    ("authorization", "map[Authorization:[Bearer " + (secret := some(40)) + "]]", secret),
    ("authorization", "Authorization=Basic " + _BASIC, _BASIC),
    ("authorization", "Proxy-Authorization: Basic " + _BASIC, _BASIC),
    ("authorization", "authorization: Token " + (secret := hexed(40)), secret),
    ("authorization", "Authorization: ApiKey " + (secret := some(40)), secret),
    ("authorization", "Authorization: " + (secret := some(40)), secret),
    (
        "authorization",
        "Authorization: AWS4-HMAC-SHA256 Credential=x/20240501/eu, Signature=" + (secret := hexed(64)),
        secret,
    ),
    ("authorization", 'Authorization: Digest username="bob", response="' + (secret := hexed(32)) + '"', secret),
    ("authorization", "Authorization: Splunk " + (secret := uuid()), secret),
    ("bearer_token", "sent bearer " + (secret := some(30)) + " upstream", secret),
    ("bearer_token", "auth scheme Bearer%20" + (secret := some(30)), secret),
    ("basic_auth", "scheme Basic " + _BASIC + " refused", _BASIC),
    ("cookie", "Cookie: theme=dark; track=" + (secret := some(32)) + "; lang=en", secret),
    ("cookie", 'Set-Cookie: auth="' + (secret := some(32)) + '"; Path=/; HttpOnly', secret),
    ("cookie", '{"cookie":"a=1; uid=' + (secret := some(16)) + '"}', secret),
    *(
        ("url_password", line.replace("§", secret), secret)
        for secret in ("BmsUL4lbKYeG", "p#s?s!1", "a/b:c@d1")
        for line in (
            "redis://:§@cache:6379 timeout",
            "dial postgres://svc:§@db-1:5432/app refused",
            'amqp "amqp://guest:§@mq.example.com/"',
            "fetch https://bob:§@example.com/x?y=z",
            "mongodb+srv://u:§@a.example.com,b.example.com/x",
        )
    ),
    ("url_password", "smtp://bob@example.com:" + "s3cr3tpw" + "@mx:25", "s3cr3tpw"),
    ("url_password", "jdbc:oracle:thin:scott/" + "tigER1" + "@//db:1521/x", "tigER1"),
    ("url_password", "dsn root:" + "s3cr3tpw" + "@tcp(db:3306)/shop", "s3cr3tpw"),
    ("url_password", "next=https%3A%2F%2Fbob%3A" + "s3cr3tpw" + "%40example.com", "s3cr3tpw"),
    ("token", "https://" + (secret := hexed(32)) + "@sentry.example.com/4", secret),
    ("webhook", "POST https://hooks.slack.com/services/" + _SLACK + " 404", _SLACK),
    ("webhook", "https://discord.com/api/webhooks/" + _DISCORD, _DISCORD),
    (
        "webhook",
        "https://x.webhook.office.com/webhookb2/"
        + (secret := uuid() + "@" + uuid() + "/IncomingWebhook/" + hexed(32) + "/" + uuid()),
        secret,
    ),
    ("telegram_token", f"POST https://api.telegram.org/bot{_TELEGRAM}/sendMessage 401", _TELEGRAM),
    ("webhook", "https://hooks.zapier.com/hooks/catch/" + (secret := "123456/abc123x"), secret),
    *(
        ("private_key", line.replace("§", joined), key[3])
        for title in (
            "RSA PRIVATE KEY",
            "PRIVATE KEY",
            "EC PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        )
        for key in (pem(title),)
        for joined in (
            "\n".join(key),
            "\\n".join(key),
            "\r\n".join(key),
            " ".join(key),
            "\n".join(key[:-1]),
            "\\n".join(key[:-2]) + "\\n" + key[-2][:30],
        )
        for line in ("loaded key §", 'tls: bad key "§"', '{"private_key": "§"}')
    ),
    ("private_key", "…\n" + "\n".join((key := pem())[3:]), key[4]),
]

# kind, line, what must be gone
PERSONAL: list[tuple[str, str, str]] = [
    *(
        ("email", line.replace("§", address), address)
        for address in ("bob.smith774@corp.example.org", "j_doe+tag@team.dev", "Ünal@exämple.com", "a-b@x-y.co.uk")
        for line in (
            "login failed for user §",
            '{"mail":"§"}',
            "to=<§>, relay=mx0",
            "user=§ action=reset",
            "§,§;§",
            "mailto:§.",
            "x\\n§\\n",
        )
    ),
    ("email", "GET /u?mail=bob%40example.com&x=1", "bob%40example.com"),
    *(
        ("ipv4", line.replace("§", address), address)
        for address in ("149.219.3.122", "10.0.0.7", "192.168.178.1", "251.58.43.14")
        for line in (
            "connection from § refused",
            '{"remote_addr":"§"}',
            "client=§:4711 upstream",
            "/§:9092",
            "db/§:5432 (db)",
            "GET /users/§/x",
            "§ - - [01/May/2024:12:00:00 +0000]",
            "(§)",
            "net §/24",
            "peer [§]",
            "from §.",
            "http://§/x",
            "ip:§,port:1",
            "::ffff:§",
        )
    ),
    *(
        ("ipv6", line.replace("§", address), address)
        for address in (
            "fe80::c745:cebb:6d80:984b",
            "2001:db8::7dd0:d213",
            "2001:db8::",
            "b54c:f40a:a1db:a61c:7b5d:dbd4:e967:d759",
            "2001:DB8::1",
        )
        for line in ("connection from § closed", "addr=[§]:8443 reset", '{"ip":"§"}', "ip: §, x", "§%eth0", "from §")
    ),
    *(
        ("card", line.replace("§", number), number)
        for number in (
            "4342510614401864",
            "6011 7302 4350 2941",
            "344556775073550",
            "3499-319047-53924",
            "4111 1111 1111 1111",
            "5151 2316 1926 6171",
            "2223003122003222",
            "30569309025904",
            "3530111333300000",
        )
        for line in (
            "charge failed card=§ code=51",
            "payment § declined",
            '{"pan":"§","amount":3}',
            "2024 § 200",
            "cards: §, §",
        )
    ),
    *(
        ("iban", line.replace("§", number), number)
        for number in (
            "DE25730979686203852997",
            "DE89 3704 0044 0532 0130 00",
            "GB82WEST12345698765432",
            "FR1420041010050500013M02606",
            "NL91ABNA0417164300",
        )
        for line in ("iban=§", "transfer to § failed", '{"iban":"§"}', "§, amount 3", "from § AND more")
    ),
    *(
        ("ssn", line.replace("§", number), number)
        for number in ("072-38-1454", "383-49-8691")
        for line in ("ssn=§ lookup failed", "applicant § rejected", '{"ssn":"§"}')
    ),
    ("ssn", "ssn: 383498691", "383498691"),
    ("iban", "iban=de89370400440532013000", "de89370400440532013000"),
    ("card", "4111111111111111/12/25", "4111111111111111"),
    ("phone", "+1-415-555-2671x123", "415-555-2671"),
    ("ipv4", "node ip-10.0.0.17 up", "10.0.0.17"),
    ("ssn", "Social Security Number 383 49 8691", "383 49 8691"),
    *(
        ("phone", line.replace("§", number), number)
        for number in (
            "+1-338-555-0734",
            "+1 (415) 555-2671",
            "+14155552671",
            "+44 20 7946 0958",
            "+49 30 1234567",
            "+49(0)30 1234567",
            "+33 6 12 34 56 78",
            "+4915112345678",
            "(415) 555-2671",
            "415-555-2671",
            "415.555.2671",
            "1-415-555-2671",
            "06 12 34 56 78",
            "020 7946 0958",
            "07700 900123",
            "0171/1234567",
            "03-1234-5678",
        )
        for line in ("phone=§ invalid", "sms to § failed", '{"n":"§"}', "called §, no answer")
    ),
    ("phone", "GET /sms?to=%2B14155552671&x=1", "14155552671"),
    ("phone", '{"phoneNumber": "5551234567"}', "5551234567"),
    ("phone", "mobile: 0176 123456", "0176 123456"),
    ("phone", "tel:5551234567", "5551234567"),
]
