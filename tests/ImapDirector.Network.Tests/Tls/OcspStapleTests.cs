using System.Diagnostics;
using System.Formats.Asn1;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImapDirector.Network.Tls;
using ImapDirector.Network.Tls.OpenSsl;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>What an authority says of a certificate, made by OpenSSL's responder and looked at by its client.</summary>
public sealed class OcspStapleTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public OcspStapleTests()
    {
        SelfSignedCertificate.Write(PathOf("first.pem"), PathOf("first-key.pem"), ["mail.example.com"]);
        SelfSignedCertificate.Write(PathOf("other.pem"), PathOf("other-key.pem"), ["imap.example.org"]);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [TheoryIfInstalled("openssl")]
    [InlineData("mail.example.com", "-tls1_3", true)]
    [InlineData("mail.example.com", "-tls1_2", true)]
    [InlineData("imap.example.org", "-tls1_3", false)]
    [InlineData("imap.example.org", "-tls1_2", false)]
    public async Task Clients_that_ask_are_told_what_the_authority_says_of_the_certificate_they_see(string name, string version, bool isStapled)
    {
        Respond("first", 'V');
        using var certificate = Load("first.der", null);
        Assert.Equal(isStapled, (await ShownAsync(certificate, name, version)).Contains("OCSP Response Status: successful", StringComparison.Ordinal));
    }

    [FactIfInstalled("openssl")]
    public async Task Each_certificate_has_its_own()
    {
        Respond("first", 'V');
        Respond("other", 'V');
        using var certificate = Load("first.der", "other.der");
        foreach (var (name, file) in new[] { ("mail.example.com", "first"), ("imap.example.org", "other") })
        {
            using var shown = X509CertificateLoader.LoadCertificateFromFile(PathOf(file + ".pem"));
            // .NET writes the byte for the sign as well.
            var serial = shown.SerialNumber.StartsWith("00", StringComparison.Ordinal) ? shown.SerialNumber[2..] : shown.SerialNumber;
            Assert.Contains("Serial Number: " + serial, await ShownAsync(certificate, name, "-tls1_3"), StringComparison.OrdinalIgnoreCase);
        }
    }

    [FactIfInstalled("openssl")]
    public async Task It_is_read_again_and_not_shown_when_its_time_is_over()
    {
        Respond("first", 'V');
        using var certificate = Load("first.der", null);
        File.WriteAllBytes(PathOf("first.der"), Expired(File.ReadAllBytes(PathOf("first.der"))));
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.StartsWith($"The OCSP file \"{PathOf("first.der")}\" held until 2020-01-01 ", Assert.Single(certificate.StapleFaults), StringComparison.Ordinal);
        Assert.Contains("OCSP response: no response sent", await ShownAsync(certificate, "mail.example.com", "-tls1_3"), StringComparison.Ordinal);
        Respond("first", 'V');
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Empty(certificate.StapleFaults);
        Assert.Contains("OCSP Response Status: successful", await ShownAsync(certificate, "mail.example.com", "-tls1_3"), StringComparison.Ordinal);
    }

    [TheoryIfInstalled("openssl")]
    [InlineData("first", 'R', "says that the certificate is revoked, or unknown")]
    [InlineData("first", ' ', "says that the certificate is revoked, or unknown")]
    [InlineData("other", 'V', "is about another certificate")]
    public async Task What_says_nothing_good_of_it_is_not_shown_and_keeps_nothing_from_being_served(string about, char state, string why)
    {
        Respond(about, state);
        using var certificate = Load(about + ".der", null);
        Assert.StartsWith($"The OCSP file \"{PathOf(about + ".der")}\" {why}: ", Assert.Single(certificate.StapleFaults), StringComparison.Ordinal);
        Assert.Contains("OCSP response: no response sent", await ShownAsync(certificate, "mail.example.com", "-tls1_3"), StringComparison.Ordinal);
        Respond("first", 'V');
        if (about != "first") File.Copy(PathOf("first.der"), PathOf(about + ".der"), overwrite: true);
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Empty(certificate.StapleFaults);
    }

    [FactIfInstalled("openssl")]
    public unsafe void A_connection_does_not_keep_it_behind_its_handshake()
    {
        // SSL_ctrl(3): TLSEXT_STATUSTYPE_ocsp is asked for, and what was shown is read.
        const int askStatus = 65, statusResponse = 70;
        Respond("first", 'V');
        var files = new CertificatePair(PathOf("first.pem"), PathOf("first-key.pem"), PathOf("first.der"));
        using var shown = ShownCertificate.Parse(files, File.ReadAllText(files.CertificateFile), File.ReadAllText(files.KeyFile), File.ReadAllBytes(files.OcspFile!));
        using var context = TlsContext.TryCreate(shown, TlsPolicy.Default, null)!;
        using var server = new TlsEngine(context);
        using var clients = new SslContextHandle(OpenSslCalls.SSL_CTX_new(KeyChangingClient.TLS_client_method()));
        using var client = new SslHandle(OpenSslCalls.SSL_new(clients));
        var (ssl, received, toSend) = (client.DangerousGetHandle(), OpenSslCalls.BIO_new(KeyChangingClient.BIO_s_mem()), OpenSslCalls.BIO_new(KeyChangingClient.BIO_s_mem()));
        OpenSslCalls.SSL_set_bio(ssl, received, toSend);
        KeyChangingClient.SSL_set_connect_state(ssl);
        Assert.Equal(1, OpenSslCalls.SSL_ctrl(ssl, askStatus, 1, 0));
        byte[] toServer = new byte[64 * 1024], toClient = new byte[64 * 1024];
        TlsProgress progress;
        do
        {
            _ = OpenSslCalls.SSL_do_handshake(ssl);
            progress = server.Handshake(toServer.AsSpan(0, Math.Max(0, KeyChangingClient.BIO_read(toSend, toServer, toServer.Length))), toClient);
            _ = KeyChangingClient.BIO_write(received, toClient, progress.Produced);
        }
        while (progress.Step == TlsStep.WantsMore);
        Assert.Equal(TlsStep.Done, progress.Step);
        nint response;
        Assert.Equal(shown.Staple!.Encoded.Length, OpenSslCalls.SSL_ctrl(ssl, statusResponse, 0, (nint)(&response)));
        Assert.Equal(-1, OpenSslCalls.SSL_ctrl(server.Ssl, statusResponse, 0, (nint)(&response)));
    }

    [Fact]
    public void One_that_is_not_there_is_told_of()
    {
        using var certificate = Load("nowhere.der", null);
        Assert.Contains("cannot be read, or is empty", Assert.Single(certificate.StapleFaults), StringComparison.Ordinal);
    }

    [TheoryIfInstalled("openssl")]
    [InlineData(0, "")]
    [InlineData(1, "is longer than 16000 bytes")]
    public async Task The_longest_is_shown_and_one_that_is_longer_is_not(int more, string fault)
    {
        WriteLong(OcspStaple.MostBytes + more);
        using var certificate = Load("first.der", null);
        foreach (var version in (string[])["-tls1_2", "-tls1_3"])
            Assert.Equal(more == 0, (await ShownAsync(certificate, "mail.example.com", version)).Contains("OCSP Response Status: successful", StringComparison.Ordinal));
        Assert.Contains(fault, certificate.StapleFaults.SingleOrDefault() ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_file_without_an_end_no_more_is_read_than_may_be_shown()
    {
        if (!OperatingSystem.IsLinux()) return;
        File.CreateSymbolicLink(PathOf("zero"), "/dev/zero");
        using var certificate = Load("zero", null);
        Assert.Contains("is longer than 16000 bytes", Assert.Single(certificate.StapleFaults), StringComparison.Ordinal);
    }

    [FactIfInstalled("openssl")]
    public void One_about_another_authority_s_certificate_of_the_same_number_cannot_be_used()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] serial = [1];
        foreach (var name in (string[])["first", "other"])
        {
            var subject = new X500DistinguishedName("CN=" + name);
            using var made = new CertificateRequest(subject, key, HashAlgorithmName.SHA256)
                .Create(subject, X509SignatureGenerator.CreateForECDsa(key), DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), serial);
            File.WriteAllText(PathOf(name + ".pem"), made.ExportCertificatePem());
            File.WriteAllText(PathOf(name + "-key.pem"), key.ExportPkcs8PrivateKeyPem());
        }
        Respond("other", 'V');
        using var leaf = X509CertificateLoader.LoadCertificateFromFile(PathOf("first.pem"));
        using var other = X509CertificateLoader.LoadCertificateFromFile(PathOf("other.pem"));
        var response = File.ReadAllBytes(PathOf("other.der"));
        Assert.Equal(response, OcspStaple.Parse("x", response, other).Encoded);
        Assert.Contains("is about another certificate", Assert.Throws<InvalidDataException>(() => OcspStaple.Parse("x", response, leaf)).Message, StringComparison.Ordinal);
    }

    [FactIfInstalled("openssl")]
    public void What_is_no_response_cannot_be_used()
    {
        Respond("first", 'V');
        var whole = File.ReadAllBytes(PathOf("first.der"));
        using var leaf = X509CertificateLoader.LoadCertificateFromFile(PathOf("first.pem"));
        Assert.InRange(OcspStaple.Parse("x", whole, leaf).Expires, DateTimeOffset.UtcNow.AddHours(23), DateTimeOffset.UtcNow.AddHours(25));
        // A part, what has other lengths inside, and something behind it.
        Assert.Throws<InvalidDataException>(() => OcspStaple.Parse("x", [.. whole, (byte)'\n'], leaf));
        for (var length = 0; length < whole.Length; length++) Assert.Throws<InvalidDataException>(() => OcspStaple.Parse("x", whole[..length], leaf));
        var random = new Random(1);
        for (var i = 0; i < 5000; i++)
        {
            var bent = whole.ToArray();
            bent[random.Next(bent.Length)] = (byte)random.Next(256);
            try
            {
                OcspStaple.Parse("x", bent, leaf);
            }
            catch (InvalidDataException)
            {
                // What else it may be is not for us to say.
            }
        }
        Assert.Contains("no OCSP response in DER", Assert.Throws<InvalidDataException>(() => OcspStaple.Parse("x", "nothing"u8.ToArray(), leaf)).Message, StringComparison.Ordinal);
        Assert.Contains("longer than 16000 bytes", Assert.Throws<InvalidDataException>(() => OcspStaple.Parse("x", new byte[OcspStaple.MostBytes + 1], leaf)).Message, StringComparison.Ordinal);
        // OCSPResponse { tryLater }.
        Assert.Contains("had no answer", Assert.Throws<InvalidDataException>(() => OcspStaple.Parse("x", [0x30, 3, 0x0a, 1, 3], leaf)).Message, StringComparison.Ordinal);
    }

    private ServerCertificate Load(string first, string? other) => ServerCertificate.Load(new CertificatePair(PathOf("first.pem"), PathOf("first-key.pem"), PathOf(first)),
        further: [new CertificatePair(PathOf("other.pem"), PathOf("other-key.pem"), other is null ? null : PathOf(other))]);

    /// <summary>Has the certificate, which is its own authority, called valid, revoked, or unknown.</summary>
    private void Respond(string about, char state)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(PathOf(about + ".pem"));
        File.WriteAllText(PathOf("index.txt"), state == ' ' ? "" : $"{state}\t300101000000Z\t{(state == 'R' ? "200101000000Z" : "")}\t{certificate.SerialNumber}\tunknown\t/CN=x\n");
        Run("ocsp", "-index", PathOf("index.txt"), "-CA", PathOf(about + ".pem"), "-rsigner", PathOf(about + ".pem"), "-rkey", PathOf(about + "-key.pem"), "-issuer", PathOf(about + ".pem"), "-cert", PathOf(about + ".pem"),
            "-ndays", "1", "-respout", PathOf(about + ".der"));
    }

    /// <summary>Writes an answer of this length that the certificate is good; nobody has signed it.</summary>
    private void WriteLong(int length)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(PathOf("first.pem"));
        var padding = length;
        byte[] response;
        while ((response = Good(certificate, padding)).Length > length) padding--;
        Assert.Equal(length, response.Length);
        File.WriteAllBytes(PathOf("first.der"), response);
    }

    private static byte[] Good(X509Certificate2 certificate, int padding)
    {
        var responder = new Asn1Tag(TagClass.ContextSpecific, 2, isConstructed: true);
        var good = new Asn1Tag(TagClass.ContextSpecific, 0);
        var explicit0 = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        var basic = new AsnWriter(AsnEncodingRules.DER);
        using (basic.PushSequence())
        {
            using (basic.PushSequence())
            {
                using (basic.PushSequence(responder)) basic.WriteOctetString(new byte[padding]);
                basic.WriteGeneralizedTime(DateTimeOffset.UtcNow, omitFractionalSeconds: true);
                using (basic.PushSequence())
                using (basic.PushSequence())
                {
                    using (basic.PushSequence())
                    {
                        using (basic.PushSequence()) basic.WriteObjectIdentifier("2.16.840.1.101.3.4.2.1");
                        basic.WriteOctetString(SHA256.HashData(certificate.IssuerName.RawData));
                        basic.WriteOctetString(new byte[32]);
                        basic.WriteInteger(new BigInteger(certificate.SerialNumberBytes.Span, isUnsigned: true, isBigEndian: true));
                    }
                    basic.WriteNull(good);
                    basic.WriteGeneralizedTime(DateTimeOffset.UtcNow, omitFractionalSeconds: true);
                    using (basic.PushSequence(explicit0)) basic.WriteGeneralizedTime(DateTimeOffset.UtcNow.AddDays(1), omitFractionalSeconds: true);
                }
            }
            using (basic.PushSequence()) basic.WriteObjectIdentifier("1.2.840.10045.4.3.2");
            basic.WriteBitString([0]);
        }
        var whole = new AsnWriter(AsnEncodingRules.DER);
        using (whole.PushSequence())
        {
            whole.WriteEncodedValue([0x0a, 1, 0]);
            using (whole.PushSequence(explicit0))
            using (whole.PushSequence())
            {
                whole.WriteObjectIdentifier("1.3.6.1.5.5.7.48.1.1");
                whole.WriteOctetString(basic.Encode());
            }
        }
        return whole.Encode();
    }

    private static async Task<string> ShownAsync(ServerCertificate certificate, string name, string version)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = Task.Run(() => Run("s_client", "-connect", listener.LocalEndpoint.ToString()!, "-servername", name, "-status", "-ign_eof", version));
        await using var server = new Connection(await listener.AcceptSocketAsync());
        await server.StartTlsServerAsync(certificate, CancellationToken.None).WaitAsync(TestBytes.Patience);
        await server.CloseSendingAsync();
        return await client.WaitAsync(TestBytes.Patience);
    }

    private static string Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return printed + error.Result;
    }

    /// <summary>The same with the end of its time in the past; that breaks the signature, which is not ours to check.</summary>
    private static byte[] Expired(byte[] response)
    {
        var text = Encoding.Latin1.GetString(response);
        var next = DateTime.UtcNow.AddDays(1).ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var at = text.LastIndexOf(next, StringComparison.Ordinal);
        Assert.True(at > 0);
        return Encoding.Latin1.GetBytes(text[..at] + "20200101" + text[(at + 8)..]);
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);
}
