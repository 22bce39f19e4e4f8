using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Tests.Shared;

/// <summary>The client's side of SCRAM, which a test can make do what an honest one would not.</summary>
internal sealed class ScramTestClient(ScramHashName hash, string header, string user, string nonce)
{
    private string _heard = "";

    public byte[] First => Encoding.UTF8.GetBytes($"{header}n={user},r={nonce}");

    /// <summary>The salt and the iterations of the server's first message.</summary>
    public (string Salt, int Iterations) Told => (Part('s'), int.Parse(Part('i'), System.Globalization.CultureInfo.InvariantCulture));

    public void Hear(byte[] serverFirst) => _heard = Encoding.ASCII.GetString(serverFirst);

    /// <param name="password">The password.</param>
    /// <param name="binding">What it is bound to.</param>
    /// <param name="otherHeader">A header in place of the one it began with.</param>
    public byte[] Final(string password, byte[] binding, string? otherHeader = null)
    {
        byte[] bound = [.. Encoding.ASCII.GetBytes(otherHeader ?? header), .. binding];
        var withoutProof = $"c={Convert.ToBase64String(bound)},r={Part('r')}";
        var message = $"n={user},r={nonce},{_heard},{withoutProof}";
        var name = hash == ScramHashName.Sha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1;
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, Convert.FromBase64String(Part('s')), Told.Iterations, name, ScramVerifier.SizeOf(hash));
        var key = CryptographicOperations.HmacData(name, salted, "Client Key"u8);
        var signature = CryptographicOperations.HmacData(name, CryptographicOperations.HashData(name, key), Encoding.UTF8.GetBytes(message));
        for (var i = 0; i < key.Length; i++) key[i] ^= signature[i];
        return Encoding.ASCII.GetBytes($"{withoutProof},p={Convert.ToBase64String(key)}");
    }

    private string Part(char name) => _heard.Split(',').Single(part => part.StartsWith($"{name}=", StringComparison.Ordinal))[2..];
}
