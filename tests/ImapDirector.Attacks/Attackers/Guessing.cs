using System.Text;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Wrong passwords, of users who are there and who are not.</summary>
internal sealed class Guessing(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    protected override int Together => 40;

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        // Ten addresses, so that they are throttled.
        await using var wire = await Wire.ConnectAsync(Target.Director.Imap, new([127, 100, 0, (byte)random.Next(1, 11)]));
        await wire.ReadLineAsync();
        for (var i = 0; i < 3; i++)
        {
            var (user, password) = (random.Next(3) switch { 0 => AttackedServers.Alice, 1 => AttackedServers.Bob, _ => $"user{random.Next(1000)}@example.com" }, $"guess{random.Next()}");
            var answer = await wire.AskAsync(random.Next(2) == 0 ? $"a{i} LOGIN {user} {password}" : $"a{i} AUTHENTICATE PLAIN {Convert.ToBase64String(Encoding.ASCII.GetBytes($"\0{user}\0{password}"))}");
            if (Wire.IsOk(answer)) Violation($"let in as {user}");
            if (answer.Length == 0) return;
        }
    }
}
