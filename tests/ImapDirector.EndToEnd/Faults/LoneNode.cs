using System.Text;
using ImapDirector.Tests.Shared;

namespace ImapDirector.EndToEnd.Faults;

/// <summary>A node without a director.</summary>
internal static class LoneNode
{
    public const string MasterPassword = "a master password of the node";

    public static Task<RunningProgram> StartAsync(string data, Dictionary<string, string>? environment = null) => RunningProgram.StartAsync(
        new Dictionary<string, string>(environment ?? []) { ["IMAPDIRECTOR__MasterPassword"] = MasterPassword },
        "node", "--set", "Name=node", "--set", $"DataDirectory={data}", "--set", "Imap=127.0.0.1:0", "--set", "Lmtp=127.0.0.1:0");

    /// <summary>What a director says after AUTHENTICATE PLAIN.</summary>
    public static string Credentials(string user) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}\0director\0{MasterPassword}"));
}
