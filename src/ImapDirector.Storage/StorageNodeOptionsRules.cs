using System.Globalization;
using System.Net;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Storage.Sessions;
using static ImapDirector.Network.SettingRules;

namespace ImapDirector.Storage;

/// <summary>The bounds of <see cref="StorageNodeOptions"/>. A sentence for each setting outside them: the key, the value and the fix; never a secret.</summary>
internal static class StorageNodeOptionsRules
{
    // Offsets into a message are 32 bits wide, and a trace header comes in front of what was received.
    private const int MaxMessageBytes = 2_000_000_000;

    // A master password opens every mailbox of the node.
    private const int MinPasswordLength = 16;
    private const int MaxCredentialBytes = 255;

    public static IReadOnlyList<string> Check(StorageNodeOptions options)
    {
        var errors = new List<string>();
        if (!IsName(options.Name))
            errors.Add($"Name is \"{Shown(options.Name)}\": {NameRule}.");
        if (string.IsNullOrWhiteSpace(options.DataDirectory) || options.DataDirectory.Contains('\0', StringComparison.Ordinal))
            errors.Add($"DataDirectory is \"{Shown(options.DataDirectory)}\": name the directory that is to hold the mail.");
        else if (File.Exists(options.DataDirectory))
            errors.Add($"DataDirectory is \"{Shown(options.DataDirectory)}\", which is a file: name a directory.");
        if (options.SubmitUser is { } submit && !UserName.TryCreate(submit, null, out _))
            errors.Add($"SubmitUser is \"{Shown(submit)}\": give the whole name of an account, such as \"submission@example.com\".");
        if (options.SharedUser is { } shared && !UserName.TryCreate(shared, null, out _))
            errors.Add($"SharedUser is \"{Shown(shared)}\": give the whole name of an account, such as \"shared@example.com\".");
        CheckListeners(options, errors);
        CheckCredentials(options, errors);
        CheckAssertionKeys(options, errors);
        CheckLimits(options, errors);
        return errors;
    }

    private static void CheckListeners(StorageNodeOptions options, List<string> errors)
    {
        if (options.Imap is null) errors.Add("Imap is unset: give the address to listen on, such as \"127.0.0.1:1143\".");
        if (options.Lmtp is null) errors.Add("Lmtp is unset: give the address to listen on, such as \"127.0.0.1:1124\".");
        if (options.Imap is { Port: not 0 } imap && imap.Equals(options.Lmtp))
            errors.Add($"Lmtp is \"{imap}\", which Imap has already: give each listener a port of its own.");
        for (var i = 0; i < options.TrustedNetworks.Count; i++)
        {
            // Everybody who may connect may also claim to be a director: an open door is a mistake, not a setting.
            if (options.TrustedNetworks[i].PrefixLength == 0)
                errors.Add(string.Create(CultureInfo.InvariantCulture,
                    $"TrustedNetworks:{i} is \"{options.TrustedNetworks[i]}\", the whole Internet: name the directors' networks."));
        }
    }

    private static void CheckCredentials(StorageNodeOptions options, List<string> errors)
    {
        if (!IsCredential(options.MasterUser))
            errors.Add($"MasterUser is \"{Shown(options.MasterUser)}\": give 1 to {MaxCredentialBytes} bytes without control characters.");
        if (options.MasterPassword is null && options.AssertionKeys is null)
            errors.Add("AssertionKeys and MasterPassword are both unset: name the directors' public keys (\"imapdirector keys new\" makes a pair), or give a master password.");
        if (options.MasterPassword is { } password && (!IsCredential(password) || password.Length < MinPasswordLength))
            errors.Add($"MasterPassword is too short, too long or has control characters (the value is not shown): give {MinPasswordLength} to {MaxCredentialBytes} bytes.");
    }

    private static void CheckAssertionKeys(StorageNodeOptions options, List<string> errors)
    {
        Between(errors, "ClockTolerance", options.ClockTolerance, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        if (options.AssertionKeys is not { } path) return;
        try
        {
            var keys = new WatchedFiles<AssertionKeySet>(path, AssertionKeyFiles.Pattern, AssertionKeyFiles.Read, static _ => { }, TimeProvider.System);
            if (keys.Current.Count == 0) throw new InvalidDataException(Directory.Exists(path) ? $"the directory has no {AssertionKeyFiles.Pattern} file" : "there is no such file");
        }
        catch (Exception unusable) when (unusable is InvalidDataException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            var reason = unusable is InvalidDataException ? unusable.Message : unusable.GetType().Name;
            errors.Add($"AssertionKeys is \"{Shown(path)}\", which cannot be used ({Shown(reason)}): name a PEM file of directors' public keys, or a directory with such {AssertionKeyFiles.Pattern} files.");
        }
    }

    private static void CheckLimits(StorageNodeOptions options, List<string> errors)
    {
        var day = TimeSpan.FromDays(1);
        Between(errors, "MaxMessageBytes", options.MaxMessageBytes, 1024, MaxMessageBytes);
        Between(errors, "QuotaBytes", options.QuotaBytes, 0, long.MaxValue / 1024);
        Between(errors, "QuotaMessages", options.QuotaMessages, 0, uint.MaxValue);
        Between(errors, "DuplicateWindow", options.DuplicateWindow, TimeSpan.Zero, TimeSpan.FromDays(30));
        Between(errors, "MovedRetention", options.MovedRetention, TimeSpan.Zero, TimeSpan.FromDays(365));
        Between(errors, "MaxConnections", options.MaxConnections, 1, 1_000_000);
        Between(errors, "IdleTimeout", options.IdleTimeout, TimeSpan.FromMinutes(30), day);
        Between(errors, "WriteTimeout", options.WriteTimeout, TimeSpan.FromSeconds(1), day);
        Between(errors, "LoginTimeout", options.LoginTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Between(errors, "FailureDelay", options.FailureDelay, TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    private static bool IsCredential(string? text) =>
        !string.IsNullOrEmpty(text) && Encoding.UTF8.GetByteCount(text) <= MaxCredentialBytes && !text.Any(char.IsControl);
}
