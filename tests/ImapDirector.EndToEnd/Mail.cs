using System.Net;
using System.Text;
using ImapDirector.Tests.Shared;
using MailKit.Net.Imap;
using MailKit.Security;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary>Deliveries and logins as the tests make them.</summary>
internal static class Mail
{
    public const string Alice = "alice@example.com";
    public const string Password = "correct horse";

    /// <summary>Delivers a message, CRLF lines, its characters the bytes of their codes.</summary>
    public static async Task DeliverAsync(IPEndPoint lmtp, string recipient, string message)
    {
        await using var client = await LmtpClient.BeginAsync(lmtp);
        Assert.StartsWith("250 ", await client.AskAsync($"RCPT TO:<{recipient}>"), StringComparison.Ordinal);
        Assert.StartsWith("354 ", await client.AskAsync("DATA"), StringComparison.Ordinal);
        Assert.StartsWith("250 ", await client.AskAsync(Stuffed(message) + "."), StringComparison.Ordinal);
    }

    public static string Stuffed(string message) =>
        (message.StartsWith('.') ? "." : "") + message.Replace("\r\n.", "\r\n..", StringComparison.Ordinal);

    /// <summary>A message of which every line is different, of about that many bytes.</summary>
    public static string Message(string subject, int bytes = 100)
    {
        var text = new StringBuilder($"From: bob@example.org\r\nTo: {Alice}\r\nSubject: {subject}\r\n\r\n");
        for (var line = 0; text.Length < bytes; line++) text.Append($"{subject} line {line} caf\u00e9 ............................................\r\n");
        return text.ToString();
    }

    /// <summary>MailKit, logged in over IMAPS.</summary>
    public static async Task<ImapClient> LogInAsync(IPEndPoint imaps, string user = Alice, string password = Password)
    {
        var client = Unverified();
        await client.ConnectAsync(imaps.Address.ToString(), imaps.Port, SecureSocketOptions.SslOnConnect);
        await client.AuthenticateAsync(user, password);
        return client;
    }

    /// <summary>MailKit, which takes any certificate.</summary>
    public static ImapClient Unverified() => new()
    {
#pragma warning disable CA5359 // The certificate is self-signed, on loopback.
        ServerCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
    };
}
