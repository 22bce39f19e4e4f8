using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Authentication.Tokens;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using MailKit.Net.Imap;
using MailKit.Security;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;
using static ImapDirector.Director.Authentication.AuthenticationOutcome;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class TokenLoginTests
{
    [Fact]
    public async Task A_token_of_the_issuer_s_for_us_logs_in_whom_it_names()
    {
        await using var issuer = new TokenIssuer();
        Assert.Equal((Success, "alice@example.com"), await CheckAsync(issuer, issuer.Token()));
        Assert.Equal((Success, "alice@example.com"), await CheckAsync(issuer, issuer.Token(), "alice"));
        Assert.Equal((Success, "alice@example.com"), await CheckAsync(issuer, issuer.Token("alice"), "Alice+lists@EXAMPLE.com"));
    }

    [Theory]
    [InlineData("alice+x@example.com")]
    [InlineData("alice+@example.com")]
    [InlineData("alice+x")]
    [InlineData("Alice@example.com")]
    [InlineData("alice@EXAMPLE.com")]
    [InlineData("ALICE")]
    [InlineData("\u212Aarl@example.com")]
    [InlineData("alic")]
    [InlineData(" alice@example.com")]
    [InlineData("alice@example.com@example.com")]
    public async Task A_name_at_the_issuer_that_is_only_like_a_user_s_is_not_that_user(string name)
    {
        await using var issuer = new TokenIssuer();
        Assert.NotEqual(Success, (await CheckAsync(issuer, issuer.Token(name))).Outcome);
        Assert.NotEqual(Success, (await CheckAsync(issuer, issuer.Token(name), "alice@example.com")).Outcome);
    }

    [Fact]
    public async Task An_address_counts_where_the_issuer_says_that_it_is_verified()
    {
        await using var issuer = new TokenIssuer();
        var lenient = issuer.Options with { RequireVerifiedEmail = false };
        foreach (var (verified, strictly, leniently) in new (object?, AuthenticationOutcome, AuthenticationOutcome)[]
        {
            (true, Success, Success), ("true", Success, Success), (null, InvalidToken, Success), (false, InvalidToken, InvalidToken), ("false", InvalidToken, InvalidToken),
            ("yes", InvalidToken, InvalidToken), (1, InvalidToken, InvalidToken),
        })
        {
            var token = verified is null ? issuer.Token(saysVerified: false) : issuer.Token(more: new Dictionary<string, object> { ["email_verified"] = verified });
            Assert.Equal(strictly, (await CheckAsync(issuer, token)).Outcome);
            Assert.Equal(leniently, (await CheckAsync(issuer, token, with: lenient)).Outcome);
        }
        // Other claims are no addresses.
        Assert.Equal(Success, (await CheckAsync(issuer, issuer.Token(saysVerified: false, more: new Dictionary<string, object> { ["sub"] = "bob" }), with: issuer.Options with { UserClaim = "sub" })).Outcome);
    }

    [Fact]
    public async Task A_token_that_is_not_good_is_refused_whatever_is_wrong_with_it()
    {
        await using var issuer = new TokenIssuer();
        var good = issuer.Token();
        var parts = good.Split('.');
        var publicKey = new SymmetricSecurityKey(Encoding.ASCII.GetBytes(issuer.Key.Rsa.ExportRSAPublicKeyPem())) { KeyId = issuer.Key.KeyId };
        using var other = System.Security.Cryptography.RSA.Create(2048);
        var strange = new SigningCredentials(new RsaSecurityKey(other) { KeyId = issuer.Key.KeyId }, SecurityAlgorithms.RsaSha256);
        foreach (var (what, token) in new (string, string)[]
        {
            ("for others", issuer.Token(audience: "web")),
            ("of others", issuer.Token(issuer: "https://id.example.net")),
            ("too old", issuer.Token(expires: TimeSpan.FromSeconds(-90))),
            ("signed by others", issuer.Token(credentials: strange)),
            ("signed with the public key as a secret", issuer.Token(credentials: new SigningCredentials(publicKey, SecurityAlgorithms.HmacSha256))),
            ("signed with an algorithm that is not on the list", issuer.Token(credentials: new SigningCredentials(issuer.Key, SecurityAlgorithms.RsaSha512))),
            ("not signed", $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}."),
            ("its signature cut off", $"{parts[0]}.{parts[1]}."),
            ("changed", $"{parts[0]}.{Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(parts[1]).Replace("alice", "bobby", StringComparison.Ordinal))}.{parts[2]}"),
            ("naming nobody", issuer.Token(user: null)),
            ("with an address that nobody has verified", issuer.Token(more: new Dictionary<string, object> { ["email_verified"] = false })),
            ("with a name outside the alphabet", issuer.Token("alice@example.com\r\nx")),
            ("no token", "nonsense"),
            ("letters that no token has", good + " "),
            ("endless", good + new string('A', 9000)),
        })
        {
            var (outcome, _) = await CheckAsync(issuer, token);
            Assert.True(outcome == InvalidToken, $"A token {what} ended with {outcome}.");
        }
    }

    [Fact]
    public async Task The_name_of_a_key_is_looked_up_among_the_issuer_s_keys_and_nowhere_else()
    {
        await using var issuer = new TokenIssuer();
        foreach (var id in (string[])["../../etc/passwd", "http://127.0.0.1:1/keys", "' OR 1=1 --", "/dev/null"])
        {
            using var mine = System.Security.Cryptography.RSA.Create(2048);
            var token = issuer.Token(credentials: new SigningCredentials(new RsaSecurityKey(mine) { KeyId = id }, SecurityAlgorithms.RsaSha256));
            Assert.Equal(InvalidToken, (await CheckAsync(issuer, token)).Outcome);
        }
        Assert.All(issuer.Requests, request => Assert.Matches(@"\AGET /(\.well-known/openid-configuration|keys) ", request));
    }

    [Fact]
    public async Task Nobody_may_ask_to_be_somebody_else()
    {
        await using var issuer = new TokenIssuer();
        Assert.Equal(InvalidToken, (await CheckAsync(issuer, issuer.Token(), "bob")).Outcome);
    }

    [Fact]
    public async Task A_scope_that_is_asked_for_has_to_be_there()
    {
        await using var issuer = new TokenIssuer();
        var options = issuer.Options with { RequiredScope = "mail" };
        Assert.Equal(WrongScope, (await CheckAsync(issuer, issuer.Token(), with: options)).Outcome);
        Assert.Equal(WrongScope, (await CheckAsync(issuer, issuer.Token(more: new Dictionary<string, object> { ["scope"] = "openid mailing" }), with: options)).Outcome);
        Assert.Equal(Success, (await CheckAsync(issuer, issuer.Token(more: new Dictionary<string, object> { ["scope"] = "openid mail" }), with: options)).Outcome);
        Assert.Equal(Success, (await CheckAsync(issuer, issuer.Token(more: new Dictionary<string, object> { ["scp"] = new[] { "openid", "mail" } }), with: options)).Outcome);
    }

    [Fact]
    public async Task The_claim_that_names_the_user_is_the_one_of_the_settings()
    {
        await using var issuer = new TokenIssuer();
        var token = issuer.Token("alice@example.com", more: new Dictionary<string, object> { ["preferred_username"] = "bob" });
        Assert.Equal((Success, "bob@example.com"), await CheckAsync(issuer, token, with: issuer.Options with { UserClaim = "preferred_username" }));
    }

    [Fact]
    public async Task A_user_who_is_gone_or_switched_off_does_not_come_in_with_a_token()
    {
        await using var issuer = new TokenIssuer();
        Assert.Equal(NoSuchUser, (await CheckAsync(issuer, issuer.Token("carol@example.com"))).Outcome);
        Assert.Equal(Success, (await CheckAsync(issuer, issuer.Token("carol@example.com"), with: issuer.Options with { RequireAccount = false })).Outcome);
        Assert.Equal(Disabled, (await CheckAsync(issuer, issuer.Token("gone@example.com"), with: issuer.Options with { RequireAccount = false })).Outcome);
    }

    [Fact]
    public async Task Keys_that_have_changed_are_fetched_again()
    {
        await using var issuer = new TokenIssuer();
        using var login = Open(issuer.Options);
        Assert.Equal(Success, (await CheckAsync(login, issuer.Token())).Outcome);

        var old = issuer.Token();
        issuer.Publish("second");
        await TestDirector.UntilAsync(async () => (await CheckAsync(login, issuer.Token())).Outcome == Success);
        Assert.Equal(InvalidToken, (await CheckAsync(login, old)).Outcome);
    }

    [Fact]
    public async Task Keys_that_cannot_be_fetched_again_count_for_a_time_and_no_longer()
    {
        await using var issuer = new TokenIssuer();
        var clock = new ManualClock();
        using var verifier = new JwtVerifier(issuer.Options with { MaxKeysAge = TimeSpan.FromHours(24) }, NullLogger<JwtVerifier>.Instance, clock);
        async Task<TokenAnswerKind> AskAsync() => (await verifier.VerifyAsync(issuer.Token(), CancellationToken.None)).Kind;
        Assert.Equal(TokenAnswerKind.Valid, await AskAsync());

        issuer.IsAway = true;
        clock.Advance(TimeSpan.FromHours(24));
        Assert.Equal(TokenAnswerKind.Valid, await AskAsync());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(TokenAnswerKind.Failure, await AskAsync());
        Assert.Equal(TokenAnswerKind.Failure, await AskAsync());

        issuer.IsAway = false;
        Assert.Equal(TokenAnswerKind.Valid, await AskAsync());
        // Nobody has asked for long, and it is there: nobody has to come again.
        clock.Advance(TimeSpan.FromDays(7));
        Assert.Equal(TokenAnswerKind.Valid, await AskAsync());
    }

    [Theory]
    [InlineData("at+jwt", true)]
    [InlineData("JWT", false)]
    [InlineData(null, false)]
    public async Task Where_types_are_listed_a_token_is_of_one_of_them(string? type, bool isTaken)
    {
        await using var issuer = new TokenIssuer();
        var token = issuer.Token(type: type);
        Assert.Equal(isTaken ? Success : InvalidToken, (await CheckAsync(issuer, token, with: issuer.Options with { Types = ["at+jwt", "application/at+jwt"] })).Outcome);
        Assert.Equal(Success, (await CheckAsync(issuer, token)).Outcome);
    }

    [Fact]
    public async Task An_issuer_that_is_away_or_names_itself_otherwise_is_no_wrong_token()
    {
        await using var issuer = new TokenIssuer { ConfiguredName = "https://id.example.net" };
        Assert.Equal(TemporaryFailure, (await CheckAsync(issuer, issuer.Token())).Outcome);
        Assert.Equal(TemporaryFailure, (await CheckAsync(issuer, issuer.Token(), with: issuer.Options with { Issuer = new Uri("http://127.0.0.1:1") })).Outcome);
        Assert.Equal(Success, (await CheckAsync(issuer, issuer.Token(), with: issuer.Options with { KeysUrl = new Uri(issuer.Issuer + "/keys") })).Outcome);
    }

    [Theory]
    [InlineData("""{"active":true,"email":"alice@example.com","email_verified":true,"aud":"imap"}""", nameof(Success))]
    [InlineData("""{"active":true,"email":"alice@example.com","email_verified":true,"aud":["web","imap"],"iss":"ISSUER"}""", nameof(Success))]
    [InlineData("""{"active":true,"email":"alice@example.com","email_verified":true}""", nameof(InvalidToken))]
    [InlineData("""{"active":true,"email":"alice@example.com","email_verified":true,"aud":"web"}""", nameof(InvalidToken))]
    [InlineData("""{"active":true,"email":"alice@example.com","email_verified":true,"aud":"imap","iss":"https://id.example.net"}""", nameof(InvalidToken))]
    [InlineData("""{"active":true,"email":"alice@example.com","email_verified":true,"aud":"imap","exp":1}""", nameof(InvalidToken))]
    [InlineData("""{"active":true,"email":"alice@example.com","email_verified":true,"aud":"imap","exp":"never"}""", nameof(InvalidToken))]
    [InlineData("""{"active":true,"email":"alice@example.com","aud":"imap"}""", nameof(InvalidToken))]
    [InlineData("""{"active":true,"email":"alice@example.com","email_verified":"yes","aud":"imap"}""", nameof(InvalidToken))]
    [InlineData("""{"active":true,"email":"alice+x@example.com","email_verified":true,"aud":"imap"}""", nameof(InvalidToken))]
    [InlineData("""{"active":false,"email":"alice@example.com","email_verified":true,"aud":"imap"}""", nameof(InvalidToken))]
    [InlineData("""{"active":"true","email":"alice@example.com","email_verified":true,"aud":"imap"}""", nameof(InvalidToken))]
    [InlineData("""{"email":"alice@example.com","email_verified":true,"aud":"imap"}""", nameof(InvalidToken))]
    [InlineData("""{"active":true,"email":1,"aud":"imap"}""", nameof(InvalidToken))]
    [InlineData("[]", nameof(TemporaryFailure))]
    [InlineData("nonsense", nameof(TemporaryFailure))]
    public async Task Asked_about_a_token_the_issuer_is_read_strictly(string answer, string outcome)
    {
        await using var issuer = new TokenIssuer();
        issuer.Introspect = request => request.Contains("\r\n\r\ntoken=opaque%26token&", StringComparison.Ordinal) && request.Contains("Basic ZGlyZWN0b3I6czNjJTNBcmV0\r\n", StringComparison.Ordinal)
            ? HttpAuthServer.Json(answer.Replace("ISSUER", issuer.Issuer, StringComparison.Ordinal))
            : "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        var options = issuer.Options with { IntrospectionUrl = new Uri(issuer.Issuer + "/introspect"), ClientId = "director", ClientSecret = "s3c:ret" };
        Assert.Equal(outcome, (await CheckAsync(issuer, "opaque&token", with: options)).Outcome.ToString());
        Assert.Equal(TemporaryFailure, (await CheckAsync(issuer, "opaque&token", with: options with { ClientSecret = "wrong" })).Outcome);
    }

    [FactIfInstalled("redis-server")]
    public async Task MailKit_logs_in_with_either_mechanism_and_a_refusal_says_why()
    {
        await using var issuer = new TokenIssuer();
        await using var node = FakeImapNode.Obliging();
        await using var director = await RunningDirector.StartAsync(node.Backend, o => o with { Authentication = o.Authentication with { Mechanisms = ["OAUTHBEARER", "XOAUTH2"], Tokens = issuer.Options } });
        foreach (var mechanism in (SaslMechanism[])[new SaslMechanismOAuthBearer("alice@example.com", issuer.Token()), new SaslMechanismOAuth2("alice@example.com", issuer.Token())])
        {
            using var client = new ImapClient { ServerCertificateValidationCallback = (_, certificate, _, _) => certificate is not null };
            await client.ConnectAsync("127.0.0.1", director.Server.ImapsEndPoint!.Port, SecureSocketOptions.SslOnConnect);
            await client.AuthenticateAsync(mechanism);
            Assert.True(client.IsAuthenticated);
        }
        var stale = issuer.Token(expires: TimeSpan.FromHours(-1));
        await using var conversation = await director.ConnectAsync();
        await conversation.SendAsync($"a AUTHENTICATE OAUTHBEARER {Base64($"n,a=alice@example.com,\u0001auth=Bearer {stale}\u0001\u0001")}\r\n");
        Assert.Equal($$"""{"status":"invalid_token","openid-configuration":"{{issuer.Issuer}}/.well-known/openid-configuration"}""", Text(await conversation.ReadLineAsync()));
        await conversation.PlayAsync("C: AQ==", "S: a NO [AUTHENTICATIONFAILED] Authentication failed.");
        await conversation.SendAsync($"b AUTHENTICATE XOAUTH2 {Base64($"user=alice@example.com\u0001auth=Bearer {stale}\u0001\u0001")}\r\n");
        Assert.Equal("""{"status":"401","schemes":"bearer"}""", Text(await conversation.ReadLineAsync()));
        await conversation.PlayAsync("C: ", "S: b NO [AUTHENTICATIONFAILED] Authentication failed.",
            "C: c AUTHENTICATE OAUTHBEARER", "S: + ", "C: nonsense", "S: c BAD Broken response.");
    }

    [FactIfInstalled("redis-server")]
    public async Task Beyond_its_limit_an_address_s_tokens_are_not_asked_about()
    {
        await using var issuer = new TokenIssuer();
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, o => o with
        {
            Authentication = o.Authentication with { Mechanisms = ["OAUTHBEARER"], Tokens = issuer.Options with { IntrospectionUrl = new Uri(issuer.Issuer + "/introspect"), ClientId = "director", ClientSecret = "s3c:ret" } },
            Throttle = o.Throttle with { AddressFailures = 1 },
        });
        await using var client = await director.ConnectAsync();
        var answers = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var answer = await client.SayAsync($"a AUTHENTICATE OAUTHBEARER {Base64($"n,,\u0001auth=Bearer token{i}\u0001\u0001")}");
            answers.Add(answer.StartsWith("+ ", StringComparison.Ordinal) ? await client.SayAsync("AQ==") : answer);
        }
        Assert.Equal(["AUTHENTICATIONFAILED", "AUTHENTICATIONFAILED", "LIMIT"], answers.Select(answer => answer.Split('[', ']')[1]));
        Assert.Equal(2, issuer.Requests.Count(request => request.StartsWith("POST /introspect ", StringComparison.Ordinal)));
    }

    private static async Task<(AuthenticationOutcome Outcome, string User)> CheckAsync(TokenIssuer issuer, string token, string identity = "", TokenOptions? with = null)
    {
        using var login = Open(with ?? issuer.Options);
        return await CheckAsync(login, token, identity);
    }

    private static async Task<(AuthenticationOutcome Outcome, string User)> CheckAsync(TokenLogin login, string token, string identity = "")
    {
        var result = await login.CheckAsync(Encoding.UTF8.GetBytes(identity), Encoding.UTF8.GetBytes(token), IPAddress.Loopback, CancellationToken.None);
        return (result.Outcome, result.User.ToString());
    }

    private static TokenLogin Open(TokenOptions options) =>
        new(new DirectorOptions { DefaultDomain = "example.com" }, options, new DatabaseChain([new ChainStep(new ThreeUsers(), new RedisDatabaseOptions())]), NullLoggerFactory.Instance);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    private static string Text(string? line) => Encoding.UTF8.GetString(Convert.FromBase64String(line![2..]));

    private sealed class ThreeUsers : IPasswordDatabase
    {
        public string Name => "three";

        public ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken) => ValueTask.FromResult(question.User.Value switch
        {
            "alice@example.com" or "bob@example.com" => DatabaseAnswer.Of(new Account("", false, DateTimeOffset.UnixEpoch)),
            "gone@example.com" => DatabaseAnswer.Of(new Account("", true, DateTimeOffset.UnixEpoch)),
            _ => DatabaseAnswer.NoSuchUser,
        });
    }
}
