using System.Net;
using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>A director's key, and the directory in which a node finds its public half.</summary>
internal sealed class DirectorKey : IDisposable
{
    private readonly AssertionSigner _signer = AssertionSigner.Create();

    public DirectorKey() => Believe();

    /// <summary>For <see cref="StorageNodeOptions.AssertionKeys"/>.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("keys-").FullName;

    public StorageNodeOptions Use(StorageNodeOptions options) => options with { AssertionKeys = Directory };

    public void Believe() => File.WriteAllText(Path.Combine(Directory, _signer.KeyId + ".pem"), _signer.ExportPublicPem());

    public void Forget() => File.Delete(Path.Combine(Directory, _signer.KeyId + ".pem"));

    public static UserName Name(string user) => UserName.TryCreate(user, null, out var name) ? name : throw new ArgumentException("Not a user name.", nameof(user));

    public string Token(string user, Func<Assertion, Assertion>? change = null)
    {
        var said = new Assertion
        {
            Issuer = "director1",
            Audience = "node1",
            Subject = Name(user),
            Epoch = 1,
            SessionId = "session-1",
            ClientAddress = IPAddress.Parse("192.0.2.7"),
            Scope = AssertionScope.Imap,
            IssuedAt = DateTimeOffset.UtcNow,
            ExpiresAt = DateTimeOffset.UtcNow + TimeSpan.FromSeconds(30),
        };
        return _signer.Sign(change?.Invoke(said) ?? said);
    }

    /// <summary>What goes behind <c>AUTHENTICATE OAUTHBEARER</c>.</summary>
    public string Credentials(string user, Func<Assertion, Assertion>? change = null) => Response(user, Token(user, change));

    public static string Response(string user, string token) => Convert.ToBase64String(Encoding.Latin1.GetBytes($"n,a={user},\u0001auth=Bearer {token}\u0001\u0001"));

    public void Dispose()
    {
        _signer.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
